"""Stripe's published contract and its checker: beside the project, or where `TELECONSULT_CONTRACT_DIR` says."""

from __future__ import annotations

import importlib.util
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("TELECONSULT_CONTRACT_DIR") or ROOT.parent / "shared/stripe")
CHECKER = FOLDER / "contract_check.py"
ABSENT = f"Stripe's contract checker is not at {CHECKER}: set TELECONSULT_CONTRACT_DIR to its folder"


@cache
def checker() -> Any:
    """The checker's module, loaded from its file because it is not an installed package."""
    spec = importlib.util.spec_from_file_location("contract_check", CHECKER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@cache
def load_contract() -> Any:
    """The contract of the pinned version, with objects closed: a property Stripe doesn't know is a fault."""
    return checker().Contract()
