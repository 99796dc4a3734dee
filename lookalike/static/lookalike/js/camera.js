// The camera: opened by a button, shown in the photo's frame, closed as soon as it has a photo.

const form = document.getElementById("give");
const opener = document.getElementById("open-camera");
const camera = document.getElementById("camera");
const view = document.getElementById("camera-view");
const shutter = document.getElementById("shutter");
const retake = document.getElementById("retake");
const said = document.getElementById("photo-said");

let stream = null;

function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  view.srcObject = null;
  camera.hidden = true;
}

function close() {
  stop();
  opener.focus();
}

function describe(error) {
  if (error.name === "NotAllowedError") return camera.dataset.refused;
  if (error.name === "NotReadableError") return camera.dataset.busy;
  return camera.dataset.missing;
}

async function open() {
  stop();
  said.textContent = "";
  said.classList.remove("is-error");
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 960 } },
      audio: false,
    });
  } catch (error) {
    said.textContent = describe(error);
    said.classList.add("is-error");
    return;
  }
  retake.hidden = true;
  view.srcObject = stream;
  camera.hidden = false;
  await view.play();
  shutter.focus();
}

// The photo is the whole picture the camera sees, the right way round.
function shoot() {
  if (!view.videoWidth) return;
  const canvas = document.createElement("canvas");
  canvas.width = view.videoWidth;
  canvas.height = view.videoHeight;
  canvas.getContext("2d").drawImage(view, 0, 0);
  stop();
  canvas.toBlob((drawn) => {
    const file = new File([drawn], "camera.jpg", { type: "image/jpeg" });
    form.dispatchEvent(new CustomEvent("photo", { detail: file }));
  }, "image/jpeg", 0.92);
}

form.addEventListener("given", (event) => {
  if (event.detail !== "camera") stop();
  retake.hidden = event.detail !== "camera";
  if (event.detail === "camera") {
    said.textContent = camera.dataset.taken;
    retake.focus();
  }
});
camera.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
});
opener.addEventListener("click", open);
retake.addEventListener("click", open);
shutter.addEventListener("click", shoot);
document.getElementById("camera-close").addEventListener("click", close);
window.addEventListener("pagehide", stop);

opener.hidden = !navigator.mediaDevices?.getUserMedia;
