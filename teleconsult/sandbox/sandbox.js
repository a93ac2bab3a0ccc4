// Without this file the page still works: a test card then fills the form by loading the page again.
const form = document.getElementById("pay");
const fill = {
  card: (value) => ({ number: value, expiry: "12 / 34", cvc: "123" }),
  account: (value) => ({ account: value }),
};
const taps = [...document.querySelectorAll("[data-fill]")];
for (const tap of taps) {
  tap.addEventListener("click", (event) => {
    event.preventDefault();
    const fields = fill[tap.dataset.fill](tap.dataset.value);
    for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
    if (!form.elements.name.value) form.elements.name.value = "Test Person";
    for (const other of taps) other.removeAttribute("aria-current");
    tap.setAttribute("aria-current", "true");
  });
}
form.addEventListener("submit", () => {
  const button = form.querySelector("button");
  button.disabled = true;
  button.textContent = "Paying…";
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
