// Sends a file for an import in parts, and goes on where it stopped when the same file is chosen again.
const form = document.querySelector("#desk-import");
const said = document.querySelector("#desk-said");
const sent = document.querySelector("#desk-sent");
const PAUSES = [1, 2, 4, 8, 15, 30, 60];

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

class Refused extends Error {}

/** The answer to a POST. Tries again while the site does not answer. Throws Refused. */
async function post(address, body) {
  const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
  if (body instanceof Blob) headers["Content-Type"] = "application/octet-stream";
  for (const pause of PAUSES) {
    const answer = await fetch(address, { method: "POST", body, headers, redirect: "manual" }).catch(() => null);
    if (answer?.ok || answer?.status === 409) return answer.json();
    if (answer?.status === 400) throw new Refused((await answer.json()).problem);
    if (answer && answer.status < 500) throw new Refused(form.dataset.loggedOut);
    said.textContent = form.dataset.again;
    await wait(pause);
  }
  throw new Refused(form.dataset.lost);
}

async function send(file) {
  const fields = new FormData(form);
  fields.append("name", file.name);
  fields.append("size", file.size);
  let { address, received } = await post(form.action, fields);
  sent.hidden = false;
  for (;;) {
    sent.value = received / file.size;
    said.textContent = `${Math.floor((100 * received) / file.size)} %`;
    const part = file.slice(received, received + Number(form.dataset.part));
    const answer = await post(`${address}?at=${received}`, part);
    if (answer.page) {
      window.location.assign(answer.page);
      return;
    }
    ({ received } = answer);
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const file = document.querySelector("#desk-file").files[0];
  const button = form.querySelector("[type=submit]");
  if (file.size > Number(form.dataset.most)) {
    said.textContent = form.dataset.tooLarge;
    return;
  }
  button.disabled = true;
  try {
    await send(file);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    said.textContent = error.message;
    button.disabled = false;
  }
});
