"""The interface kit: small typed parts on `rx.el` and Tailwind, one module for each kind.

Import from the module that holds a part (`from teleconsult.ui.parts.buttons import button`); nothing is re-exported
here, so that a reader sees where things live.

Every part is a function that returns a component. Text and flags may be Python values or Reflex Vars. Class names are
whole literals, because Tailwind reads the compiled pages: choose between literals with `base.pick` or `base.when`,
never build a class name from a Var. Colours, radii, shadows and breakpoints exist only as far as `assets/kit.css`
names them: a class outside of that set does nothing.
"""
