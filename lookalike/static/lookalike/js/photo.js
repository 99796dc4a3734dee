// From a file that somebody gave to the bytes that are sent. A file is read into memory at once,
// since it may change or vanish later, and is judged by its first bytes, never by its name.

const HEIF = /^(hei[cxms]|hev[cxms]|mif1|msf1|miaf|avi[fs])$/;
const SENT_AS_IT_IS = 2_000_000; // bytes
const QUALITY = 0.9;

export class Refused extends Error {}

function kindOf(bytes) {
  const text = String.fromCharCode(...bytes.subarray(0, 12));
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (/^GIF8[79]a/.test(text)) return "image/gif";
  if (text.startsWith("RIFF") && text.endsWith("WEBP")) return "image/webp";
  if (text.slice(4, 8) === "ftyp" && HEIF.test(text.slice(8))) return "image/heic";
  return "";
}

// One photo of what was given, in memory. A pasted picture often comes with other kinds of the
// same, so only photos count. Throws Refused with the name of a sentence.
export async function readPhoto(files) {
  const photos = [];
  for (const file of files) {
    try {
      const type = kindOf(new Uint8Array(await file.slice(0, 12).arrayBuffer()));
      if (type) photos.push(new File([await file.arrayBuffer()], "photo", { type }));
    } catch {
      throw new Refused("vanished");
    }
  }
  if (!photos.length) throw new Refused("wrongType");
  if (photos.length > 1) throw new Refused("several");
  return photos[0];
}

async function drawJpeg(picture, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff"; // JPEG has no transparency.
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, width, height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}

// Browsers that guard against fingerprinting give noise or white instead of what was drawn. They
// do so for every canvas, so a known pattern of two halves tells.
async function drawsTruly() {
  const pattern = document.createElement("canvas");
  pattern.width = pattern.height = 64;
  const pen = pattern.getContext("2d");
  pen.fillStyle = "#c02040";
  pen.fillRect(0, 0, 32, 64);
  pen.fillStyle = "#2080c0";
  pen.fillRect(32, 0, 32, 64);
  const drawn = await createImageBitmap(await drawJpeg(pattern, 64, 64));
  pen.clearRect(0, 0, 64, 64);
  pen.drawImage(drawn, 0, 0);
  const seen = pen.getImageData(0, 0, 64, 64).data;
  return [...Array(64).keys()].every((column) => {
    const wanted = column < 32 ? [0xc0, 0x20, 0x40] : [0x20, 0x80, 0xc0];
    if (column > 27 && column < 36) return true; // JPEG blurs the edge.
    const at = 4 * (64 * column + column);
    return wanted.every((value, channel) => Math.abs(value - seen[at + channel]) < 24);
  });
}

// The size to send: large enough that a face which the site can find stays above its least size,
// and that a panorama keeps its height.
function scaleOf(picture, limits) {
  const long = Math.max(picture.width, picture.height);
  const short = Math.min(picture.width, picture.height);
  return Math.min(1, Math.max(limits.side / long, limits.shortSide / short));
}

// The photo smaller, if it is worth it and the browser can; else null. `opens` says whether the
// browser could decode it.
export async function shrink(photo, limits) {
  let picture;
  try {
    picture = await createImageBitmap(photo, { imageOrientation: "from-image" });
  } catch {
    return { opens: false, smaller: null };
  }
  const pixels = picture.width * picture.height;
  let smaller = null;
  try {
    if (photo.size > SENT_AS_IT_IS || pixels > limits.pixels) {
      const scale = scaleOf(picture, limits);
      const drawn =
        (await drawsTruly()) &&
        (await drawJpeg(picture, Math.round(picture.width * scale), Math.round(picture.height * scale)));
      // Too large for this browser's canvas, it comes out empty.
      const isWorthIt = drawn && (drawn.size < photo.size || pixels > limits.pixels);
      if (isWorthIt) smaller = new File([drawn], "photo", { type: "image/jpeg" });
    }
  } catch {
    // The original travels.
  }
  picture.close();
  return { opens: true, smaller };
}
