// What this tab and this device remember, so that a reload, the way back and another language lose
// nothing: the photo until the tab is closed, the search options for the next time.

const PHOTO = "photo";
const RETURNS = "returns";
const OPTIONS = "options";

function attempt(action) {
  try {
    return action();
  } catch {
    return null; // No storage, or it is full.
  }
}

export function forgetPhoto() {
  attempt(() => sessionStorage.removeItem(PHOTO));
}

// A photo too large for the tab's storage is remembered as "": the page can at least say so.
export async function keepPhoto(photo) {
  forgetPhoto();
  const reader = new FileReader();
  const address = await new Promise((done) => {
    reader.onload = () => done(reader.result);
    reader.onerror = () => done("");
    reader.readAsDataURL(photo);
  });
  try {
    sessionStorage.setItem(PHOTO, address);
  } catch {
    attempt(() => sessionStorage.setItem(PHOTO, ""));
  }
}

// The photo that was kept, "" if one was too large to keep, null if there is none or the page was
// opened anew.
export function recallPhoto() {
  const kept = attempt(() => sessionStorage.getItem(PHOTO));
  const [visit] = performance.getEntriesByType("navigation");
  const returns = attempt(() => sessionStorage.getItem(RETURNS)) || visit?.type !== "navigate";
  attempt(() => sessionStorage.removeItem(RETURNS));
  if (!returns) forgetPhoto();
  if (!returns || !kept) return returns ? kept : null;
  const [head, body] = kept.split(",");
  const bytes = Uint8Array.from(atob(body), (sign) => sign.charCodeAt(0));
  return new File([bytes], "photo", { type: head.slice(5, head.indexOf(";")) });
}

// What the phone's share sheet sent (see the service worker): null if it sent nothing, "" if the
// photo is not there.
export async function takeShared() {
  if (!location.search.startsWith("?shared")) return null;
  history.replaceState(history.state, "", location.pathname);
  try {
    const shelf = await caches.open("shared");
    const answer = await shelf.match("photo");
    await shelf.delete("photo");
    return answer ? await answer.blob() : "";
  } catch {
    return "";
  }
}

// The next page is this one again, in another language.
export function expectReturn() {
  attempt(() => sessionStorage.setItem(RETURNS, "1"));
}

function optionsOf(form) {
  return [...form.querySelectorAll(".choices-fields input, .choices-fields select")];
}

export function keepOptions(form) {
  const chosen = {};
  for (const field of optionsOf(form)) {
    chosen[field.name] = field.type === "checkbox" ? field.checked : field.value;
  }
  attempt(() => localStorage.setItem(OPTIONS, JSON.stringify(chosen)));
}

export function recallOptions(form) {
  const chosen = attempt(() => JSON.parse(localStorage.getItem(OPTIONS))) ?? {};
  for (const field of optionsOf(form)) {
    const value = chosen[field.name];
    if (field.type === "checkbox" && typeof value === "boolean") field.checked = value;
    else if ([...(field.options ?? [])].some((option) => option.value === value)) field.value = value;
  }
}
