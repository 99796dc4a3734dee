// Before anything is drawn: the page looks from the start as the scripts will make it, so that nothing
// moves under a finger. Should the form's own script not come, the form is whole again.

document.documentElement.classList.add("has-scripts");
window.addEventListener("load", () => {
  if (!document.querySelector("#give.is-live")) document.documentElement.classList.remove("has-scripts");
});
