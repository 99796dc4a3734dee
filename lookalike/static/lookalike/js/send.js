// Sends the form without leaving the page, so that the photo stays whatever the answer is.

const TOKEN = "csrfmiddlewaretoken";

function post(form, photo, progress) {
  const data = new FormData(form);
  data.set("photo", photo, "photo");
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.onprogress = (event) => progress(event.loaded / event.total);
    request.onload = () => done(request);
    request.onerror = request.ontimeout = () => done(null);
    request.send(data);
  });
}

// Error pages carry a style of their own, which this page's policy would complain of.
function parse(text) {
  const plain = text.replace(/<style[^]*?<\/style>/g, "");
  return new DOMParser().parseFromString(plain, "text/html");
}

// What the answer's form has anew: its tokens, and the consent where its text has changed.
function renew(form, page) {
  for (const name of [TOKEN, "consent_version"]) {
    const fresh = page.querySelector(`#give [name=${name}]`);
    if (fresh) form.elements[name].value = fresh.value;
  }
  const consent = page.querySelector("#consent");
  const here = document.getElementById("consent");
  if (consent && consent.textContent !== here.textContent) here.replaceWith(consent);
}

// The words of a refusal: those of the form, or of an error page.
function refusalOf(page, words) {
  const said = [...page.querySelectorAll("[data-refusal]")];
  return said.length ? said : [Object.assign(document.createElement("p"), { textContent: words.failed })];
}

// Resolves to the address of the result's page, or to the elements that say why there is none.
export async function send(form, photo, { words, progress }) {
  let answer = await post(form, photo, progress);
  if (answer?.status === 403) {
    // The page was open for long: a fresh one brings a fresh token.
    const fresh = await fetch(form.action).catch(() => null);
    if (fresh?.ok) {
      renew(form, parse(await fresh.text()));
      answer = await post(form, photo, progress);
    }
  }
  if (!answer) {
    return { refusal: [Object.assign(document.createElement("p"), { textContent: words.offline })] };
  }
  if (answer.status === 200) return { address: answer.responseURL };
  const page = parse(answer.responseText);
  renew(form, page);
  return { refusal: refusalOf(page, words) };
}
