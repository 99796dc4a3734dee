// Around the polling: slower while nobody looks, untouched while nothing changes, and said
// aloud when something does.

const HIDDEN_PAUSE = 15000;
const announcer = document.getElementById("announce");
let asked = 0;
let told = "";
let shown = "";

function tell() {
  const words = document.getElementById("status")?.dataset.announce ?? "";
  if (words === told) return;
  told = words;
  announcer.textContent = words;
}

document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id !== "status") return;
  if (document.hidden && Date.now() - asked < HIDDEN_PAUSE) event.preventDefault();
  else asked = Date.now();
});
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "status") return;
  // The same answer again would only make what moves on the page start anew.
  const answer = event.detail.xhr.responseText;
  if (answer === shown) event.detail.shouldSwap = false;
  else shown = answer;
});
document.body.addEventListener("htmx:responseError", (event) => {
  // The upload is gone: the page itself knows how to say so.
  if (event.detail.elt.id === "status" && event.detail.xhr.status === 404) location.reload();
});
document.body.addEventListener("htmx:afterSettle", tell);
tell();
