// Around the polling: slower while nobody looks or nobody answers, untouched while nothing changes,
// and said aloud when something does.

const HIDDEN_PAUSE = 15000;
const LONGEST_PAUSE = 30000;
const FAILURES = 3; // in a row, until the page says so
const announcer = document.getElementById("announce");
const connection = document.getElementById("connection");
let asked = 0;
let failed = 0;
let told = "";
let shown = "";

function tell() {
  const status = document.getElementById("status");
  const words = status?.dataset.announce ?? "";
  if (words === told) return;
  told = words;
  announcer.textContent = words;
  // Who is in another tab sees it there.
  if (status?.dataset.title) document.title = `✓ ${status.dataset.title}`;
}

function pause() {
  if (failed >= FAILURES) return Math.min(1000 * 2 ** (failed - FAILURES), LONGEST_PAUSE);
  return document.hidden ? HIDDEN_PAUSE : 0;
}

function note(isWell) {
  failed = isWell ? 0 : failed + 1;
  connection.hidden = failed < FAILURES;
}

document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id !== "status") return;
  if (Date.now() - asked < pause()) event.preventDefault();
  else asked = Date.now();
});
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "status") return;
  // The same answer again would only make what moves on the page start anew.
  const answer = event.detail.xhr.responseText;
  if (answer === shown) event.detail.shouldSwap = false;
  else shown = answer;
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt.id !== "status") return;
  // The upload is gone: the page itself knows how to say so.
  if (event.detail.xhr.status === 404) location.reload();
  else note(event.detail.successful);
});
window.addEventListener("online", () => {
  asked = 0;
});
document.body.addEventListener("htmx:afterSettle", tell);
told = document.getElementById("status")?.dataset.announce ?? "";
announcer.textContent = told;
