// Without this file the page still works: it is then renewed by loading it again.
// What was said once is not said again after a reload.
const address = new URL(location.href);
if (address.searchParams.has("said")) {
  address.searchParams.delete("said");
  history.replaceState(null, "", address);
}

const PARTS = ["clock", "live"];
const seen = Object.fromEntries(PARTS.map((id) => [id, document.getElementById(id).innerHTML]));

// Nobody loses what they are typing or pressing: a part in use stays as it is until it is left.
const inUse = (part) => part.contains(document.activeElement) || part.matches(":active");

const renew = async () => {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of PARTS) {
    const part = document.getElementById(id), next = fresh.getElementById(id).innerHTML;
    if (next === seen[id] || inUse(part)) continue;
    const open = [...part.querySelectorAll("details[open]")].map((one) => one.id);
    if (open.length && part.querySelector("details[open] :is(input, select):not([type=hidden])")) continue;
    seen[id] = next;
    part.innerHTML = next;
    for (const one of open) document.getElementById(one)?.setAttribute("open", "");
  }
};
setInterval(() => renew().catch(() => {}), 2000);

document.addEventListener("change", (event) => {
  if (event.target.matches("form.find select")) event.target.form.requestSubmit();
});
document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("button");
  if (button && event.target.method === "post") button.setAttribute("aria-busy", "true");
});
