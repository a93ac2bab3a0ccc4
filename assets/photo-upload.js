/* Uploads photos one by one from the page that teleconsult/ui/consultation/uploader.py draws.

   Python draws everything: the drop zone, a template of a tile, all words. This script copies the template for each
   file, moves it through its states and, when the server has the photo, presses a hidden button so that the page asks
   for its list again. It owns no look and no wording, stores nothing, and knows nothing but the files of this visit.
   Why it is JavaScript: docs/decisions/photo-upload.md.

   A file is: queued → uploading → processing → done, or failed, or offline until the connection is back. */
(() => {
  "use strict";

  const AT_ONCE = 2;
  const PATIENCE = [1, 3, 8, 15, 30, 60]; // seconds before each try of our own after a lost connection
  const TIME_LIMIT = 300; // seconds for one upload
  const USELESS_AGAIN = [413, 415, 422]; // the server has judged the file itself
  const TRY_LATER = [0, 502, 503, 504];

  const jobs = new Set(); // files that are not on the page's own list yet
  let zone = null; // the uploader on the page, if this page has one
  let made = ""; // the consultation our first photo began, until the page knows it too

  const part = (node, name) => node.querySelector(`[data-photo-${name}]`);
  const words = () => JSON.parse(zone.dataset.words);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const place = () => made || zone.dataset.consultation;
  const jobOf = (node) => [...jobs].find((job) => job.tile.contains(node));

  function say(text) { if (zone) part(zone, "status").textContent = text; }
  function complain(text) { if (zone) part(zone, "problem").textContent = text; }

  function show(job, state, text) {
    job.state = job.tile.dataset.state = state;
    if (text) part(job.tile, state === "failed" ? "error" : "name").textContent = text;
  }

  function percent(job, value) {
    const bar = part(job.tile, "bar");
    bar.setAttribute("aria-valuenow", value);
    bar.firstElementChild.style.width = `${value}%`;
    part(job.tile, "percent").textContent = `${value} %`;
  }

  // ── Taking files ──────────────────────────────────────────────────────────────────────────────────

  function add(files) {
    if (!files.length) return;
    complain("");
    const waiting = [...jobs].filter((job) => job.state !== "failed" && !job.dropped).length;
    let room = Number(zone.dataset.limit) - Number(zone.dataset.count) - waiting;
    for (const file of files) {
      if (room < 1) { complain(words().tooMany); break; }
      if (begin(file)) room -= 1;
    }
    pump();
  }

  function begin(file) {
    const tile = part(zone, "template").firstElementChild.cloneNode(true);
    const job = { file, tile, place: place(), tries: 0, words: words(), preview: URL.createObjectURL(file) };
    const image = part(tile, "preview");
    image.onerror = () => image.remove(); // not every browser can show HEIC
    image.src = job.preview;
    const remove = part(tile, "remove");
    remove.ariaLabel = remove.title = fill(job.words.remove, { name: file.name });
    jobs.add(job);
    part(zone, "list").append(tile);
    show(job, "queued", file.name);
    const refusal = objection(job);
    if (refusal) fail(job, refusal, false);
    return !refusal;
  }

  function objection({ file, words }) {
    const limit = Number(zone.dataset.maxBytes);
    const megabytes = (bytes) => String(Math.ceil((bytes / 2 ** 20) * 10) / 10);
    const values = { name: file.name, size: megabytes(file.size), limit: megabytes(limit) };
    if (file.size > limit) return fill(words.tooBig, values);
    // Some systems don't know HEIC and give it no type; the server looks at the bytes in any case.
    return file.type && !file.type.startsWith("image/") ? words.noPhoto : "";
  }

  // ── Sending them ──────────────────────────────────────────────────────────────────────────────────

  function pump() {
    for (const job of jobs) {
      const running = [...jobs].filter((other) => other.xhr).length;
      // The first photo of a new consultation goes alone: it makes the draft that the others belong to.
      if (job.state === "queued" && !job.xhr && running < (job.place === "new" ? 1 : AT_ONCE)) send(job);
    }
  }

  function send(job) {
    const body = new FormData();
    body.append("consultation", job.place);
    body.append("photo", job.file, "photo"); // the file's own name stays here
    const xhr = (job.xhr = new XMLHttpRequest());
    xhr.open("POST", zone ? zone.dataset.action : "/api/photos");
    xhr.responseType = "json";
    xhr.timeout = TIME_LIMIT * 1000;
    xhr.upload.onprogress = ({ loaded, total }) => percent(job, Math.round((100 * loaded) / total));
    xhr.upload.onload = () => show(job, "processing");
    xhr.onload = () => answered(job, xhr.status, xhr.response);
    xhr.onerror = xhr.ontimeout = () => lost(job);
    xhr.onloadend = () => { job.xhr = null; pump(); };
    percent(job, 0);
    show(job, "uploading");
    xhr.send(body);
  }

  function answered(job, status, reply) {
    if (TRY_LATER.includes(status)) return lost(job);
    if (status !== 200 && status !== 201) {
      const again = !USELESS_AGAIN.includes(status);
      return fail(job, status === 401 ? job.words.signedOut : reply?.error?.message || job.words.failed, again);
    }
    if (job.place === "new") {
      made = reply.consultation;
      for (const other of jobs) if (other.place === "new") other.place = made;
    }
    if (job.dropped) { // removed while the server was looking at it
      if (status === 201) fetch(reply.url, { method: "DELETE" }).finally(refresh);
      return forget(job);
    }
    job.url = reply.url;
    show(job, "done");
    say(fill(status === 200 ? job.words.repeated : job.words.done, { name: job.file.name }));
    refresh();
    settle();
  }

  function fail(job, text, again = true) {
    if (job.dropped) return forget(job);
    job.tile.toggleAttribute("data-final", !again);
    show(job, "failed", text);
  }

  // The same bytes twice are one photo to the server, so trying again by ourselves is safe.
  function lost(job) {
    if (job.dropped) return forget(job);
    if (navigator.onLine && job.tries >= PATIENCE.length) return fail(job, job.words.lost);
    show(job, "offline");
    say(job.words.offline);
    job.timer = setTimeout(retry, 1000 * PATIENCE[Math.min(job.tries++, PATIENCE.length - 1)], job);
  }

  function retry(job) {
    clearTimeout(job.timer);
    if (!jobs.has(job)) return;
    show(job, "queued", job.file.name);
    pump();
  }

  // ── Leaving the list ──────────────────────────────────────────────────────────────────────────────

  function drop(job) {
    const next = job.tile.nextElementSibling || job.tile.previousElementSibling;
    job.dropped = true;
    if (job.state === "processing") job.tile.remove(); // its bytes have arrived: the answer tells what to take back
    else { forget(job); job.xhr?.abort(); }
    (next ? part(next, "remove") : part(zone, "input")).focus();
    complain("");
  }

  function forget(job) {
    const focused = job.tile.contains(document.activeElement);
    clearTimeout(job.timer);
    jobs.delete(job);
    job.tile.remove();
    URL.revokeObjectURL(job.preview);
    if (focused && zone) part(zone, "input").focus();
  }

  let soon;
  function refresh() {
    clearTimeout(soon);
    soon = setTimeout(() => {
      const button = zone && part(zone, "refresh");
      if (button) { button.value = place(); button.click(); }
    }, 150);
  }

  /** A tile goes when the page itself shows the photo, so that nothing blinks. */
  function settle() {
    for (const job of jobs) {
      if (job.url && document.querySelector(`img[src^="${job.url}"]`)) forget(job);
    }
  }

  // ── The page around us: it comes and goes while uploads go on ─────────────────────────────────────

  function sync() {
    const now = document.querySelector("[data-photo-upload]");
    if (now !== zone) {
      zone = now;
      if (!zone) made = "";
      for (const job of jobs) {
        if (job.url) forget(job); // done while the page was away: its list is fresh
        else if (zone && job.place === place() && !job.dropped) part(zone, "list").append(job.tile);
      }
    }
    if (zone && zone.dataset.consultation !== "new") made = "";
    settle();
  }

  const carriesFiles = (event) => zone && event.dataTransfer?.types.includes("Files");

  function listen(type, act) { document.addEventListener(type, act); }

  listen("change", ({ target }) => {
    if (!zone || target !== part(zone, "input")) return;
    add([...target.files]);
    target.value = ""; // so that the same file can be chosen again
  });
  listen("click", ({ target }) => {
    const job = jobOf(target);
    if (job && target.closest("[data-photo-remove]")) drop(job);
    if (job && target.closest("[data-photo-retry]")) {
      job.tries = 0;
      retry(job);
      part(job.tile, "remove").focus();
    }
  });
  listen("paste", (event) => { if (zone) add([...(event.clipboardData?.files ?? [])]); });
  listen("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault(); // otherwise the browser would leave the page and open the photo
    zone.toggleAttribute("data-over", true);
  });
  listen("dragleave", (event) => { if (zone && !event.relatedTarget) zone.removeAttribute("data-over"); });
  listen("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    zone.removeAttribute("data-over");
    add([...event.dataTransfer.files]);
  });
  window.addEventListener("online", () => {
    for (const job of jobs) if (job.state === "offline") { job.tries = 0; retry(job); }
  });
  window.addEventListener("beforeunload", (event) => {
    if ([...jobs].some((job) => job.state !== "failed" && job.state !== "done")) event.preventDefault();
  });

  new MutationObserver(sync).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["src", "data-consultation"],
  });
  sync();
})();
