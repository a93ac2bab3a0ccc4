// The photo viewer of a case (teleconsult/ui/clinic/viewer.py): which photo is on show, zoom, pan, turn.
// It listens on the document, because the viewer comes and goes with its page; it needs no library and no eval.
(() => {
  const ZOOMS = [1, 1.5, 2, 3, 4];
  const KEYS = { ArrowLeft: "previous", ArrowRight: "next", "+": "in", "=": "in", "-": "out", r: "turn" };

  const stageOf = (viewer) => viewer.querySelector("[data-stage]");
  const photos = (viewer) => viewer.querySelectorAll("button[data-photo]").length;
  const at = (viewer) => Number(viewer.querySelector("button[data-shown=true]")?.dataset.photo ?? 0);
  const zoomOf = (viewer) => Number(viewer.dataset.zoom ?? 1);

  function show(viewer, index) {
    const count = photos(viewer);
    const wanted = String((index + count) % count);
    for (const part of viewer.querySelectorAll("[data-photo]")) {
      const shown = String(part.dataset.photo === wanted);
      part.dataset.shown = shown;
      if (part.tagName === "BUTTON") part.setAttribute("aria-current", shown);
    }
    zoom(viewer, 1);
    turn(viewer, 0);
  }

  function zoom(viewer, factor) {
    const stage = stageOf(viewer);
    const middle = [
      (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth,
      (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight,
    ];
    viewer.dataset.zoom = factor;
    viewer.style.setProperty("--zoom", factor);
    stage.style.cursor = factor > 1 ? "grab" : "";
    stage.scrollLeft = middle[0] * stage.scrollWidth - stage.clientWidth / 2;
    stage.scrollTop = middle[1] * stage.scrollHeight - stage.clientHeight / 2;
  }

  function turn(viewer, degrees) {
    viewer.dataset.turn = degrees;
    viewer.dataset.turned = String(degrees % 180 !== 0);
    viewer.style.setProperty("--turn", `${degrees}deg`);
  }

  const tools = {
    previous: (viewer) => show(viewer, at(viewer) - 1),
    next: (viewer) => show(viewer, at(viewer) + 1),
    in: (viewer) => zoom(viewer, ZOOMS.find((z) => z > zoomOf(viewer)) ?? ZOOMS.at(-1)),
    out: (viewer) => zoom(viewer, ZOOMS.findLast((z) => z < zoomOf(viewer)) ?? 1),
    turn: (viewer) => turn(viewer, (Number(viewer.dataset.turn ?? 0) + 90) % 360),
  };

  document.addEventListener("click", (event) => {
    const viewer = event.target.closest?.("[data-viewer]");
    if (!viewer) return;
    const tool = event.target.closest("[data-tool]");
    const thumb = event.target.closest("button[data-photo]");
    if (tool) tools[tool.dataset.tool](viewer);
    if (thumb) show(viewer, Number(thumb.dataset.photo));
  });

  document.addEventListener("keydown", (event) => {
    const viewer = event.target.closest?.("[data-viewer]");
    const tool = KEYS[event.key];
    if (!viewer || !tool || event.ctrlKey || event.metaKey || event.altKey) return;
    // In a photo that was zoomed the arrows move it, as they do in everything that scrolls.
    if (event.key.startsWith("Arrow") && zoomOf(viewer) > 1 && event.target === stageOf(viewer)) return;
    event.preventDefault();
    tools[tool](viewer);
  });

  // Fingers scroll by themselves; a mouse pulls.
  document.addEventListener("pointerdown", (event) => {
    const stage = event.target.closest?.("[data-stage]");
    if (!stage || event.pointerType !== "mouse" || event.button !== 0) return;
    if (zoomOf(stage.closest("[data-viewer]")) === 1) return;
    const start = [stage.scrollLeft + event.clientX, stage.scrollTop + event.clientY];
    const pull = (moved) => stage.scrollTo(start[0] - moved.clientX, start[1] - moved.clientY);
    const end = () => {
      stage.style.cursor = "grab";
      stage.removeEventListener("pointermove", pull);
    };
    stage.style.cursor = "grabbing";
    stage.setPointerCapture(event.pointerId);
    stage.addEventListener("pointermove", pull);
    stage.addEventListener("pointerup", end, { once: true });
    stage.addEventListener("pointercancel", end, { once: true });
  });
})();
