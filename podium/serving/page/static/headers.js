// What a file is, and how large its image is, by its first bytes: nothing is decoded before that is known.

const NEEDS = "expected a JPEG, PNG, WebP, AVIF, GIF or BMP";
const ELSEWHERE = "which browsers do not show; save it as PNG or JPEG";
const EXIF = 0xe1;
const SCAN = 0xda;
const ORIENTATION = 0x0112;

/** A file that is no usable image; the message is the reason, for people. */
export class BadImageError extends Error {}

/**
 * Read {kind, type, width, height, orientation} of an image file; sizes as they are stored.
 *
 * @param {Uint8Array} bytes the whole file
 */
export function readHeader(bytes) {
  if (bytes.length === 0) throw new BadImageError(`the file is empty; ${NEEDS}`);
  const reader = READERS.find((one) => one.starts(bytes));
  if (!reader) throw new BadImageError(whatItIs(bytes));
  let size;
  try {
    size = reader.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  if (!size?.width || !size?.height) {
    throw new BadImageError(`the header of the ${reader.kind} cannot be read: it is cut short`);
  }
  return { kind: reader.kind, type: reader.type, orientation: 1, ...size };
}

/** Refuse what is cut short: browsers show half an image without a word. */
export function checkEnd(bytes, kind) {
  const isWhole = {
    JPEG: () => findLast(bytes, [0xff, 0xd9]) > scanStart(bytes),
    PNG: () => findLast(bytes, [0x49, 0x45, 0x4e, 0x44]) > 0, // "IEND"
  };
  if (isWhole[kind] && !isWhole[kind]()) {
    throw new BadImageError("the image cannot be decoded: the file is cut short");
  }
}

const READERS = [
  { kind: "JPEG", type: "image/jpeg", starts: (bytes) => begins(bytes, [0xff, 0xd8, 0xff]), read: readJpeg },
  {
    kind: "PNG",
    type: "image/png",
    starts: (bytes) => begins(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    read: (view) => ({ width: view.getUint32(16), height: view.getUint32(20) }),
  },
  {
    kind: "GIF",
    type: "image/gif",
    starts: (bytes) => ["GIF87a", "GIF89a"].includes(text(bytes, 0, 6)),
    read: (view) => ({ width: view.getUint16(6, true), height: view.getUint16(8, true) }),
  },
  {
    kind: "WebP",
    type: "image/webp",
    starts: (bytes) => text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 4) === "WEBP",
    read: readWebp,
  },
  {
    kind: "AVIF",
    type: "image/avif",
    starts: (bytes) => text(bytes, 4, 4) === "ftyp" && ["avif", "avis"].includes(text(bytes, 8, 4)),
    read: readAvif,
  },
  { kind: "BMP", type: "image/bmp", starts: (bytes) => text(bytes, 0, 2) === "BM" && bytes[15] === 0, read: readBmp },
];

function whatItIs(bytes) {
  if (["II*\0", "MM\0*"].includes(text(bytes, 0, 4))) return `the file is TIFF, ${ELSEWHERE}`;
  if (/^P[1-6]\s/.test(text(bytes, 0, 3))) return `the file is PPM, ${ELSEWHERE}`;
  if (text(bytes, 4, 4) === "ftyp") return `the file is HEIC or a video, ${ELSEWHERE}`;
  const first = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `the file begins with ${first}, as no image does that podium knows; ${NEEDS}`;
}

function begins(bytes, start) {
  return start.every((byte, at) => bytes[at] === byte);
}

function text(bytes, start, length) {
  return String.fromCharCode(...bytes.subarray(Math.max(start, 0), Math.max(start, 0) + length));
}

function readJpeg(view) {
  let orientation = 1;
  for (let at = 2; view.getUint8(at) === 0xff; ) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += marker === 0xff ? 1 : 2; // filling, or a marker that nothing follows
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7), orientation };
    if (marker === SCAN || marker === 0xd9) return undefined;
    if (marker === EXIF && view.getUint32(at + 4) === 0x45786966) orientation = readOrientation(view, at + 10);
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

/** Read which way is up from the EXIF data that begin here; if they are broken, as stored. */
function readOrientation(view, start) {
  try {
    const little = view.getUint16(start) === 0x4949;
    const table = start + view.getUint32(start + 4, little);
    for (let entry = 0; entry < view.getUint16(table, little); entry++) {
      const at = table + 2 + entry * 12;
      const value = view.getUint16(at + 8, little);
      if (view.getUint16(at, little) === ORIENTATION) return value >= 1 && value <= 8 ? value : 1;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}

function findLast(bytes, sought) {
  for (let at = bytes.lastIndexOf(sought[0]); at >= 0; at = at ? bytes.lastIndexOf(sought[0], at - 1) : -1) {
    if (begins(bytes.subarray(at), sought)) return at;
  }
  return -1;
}

function scanStart(bytes) {
  let at = 2;
  while (at + 4 < bytes.length && bytes[at] === 0xff && bytes[at + 1] !== SCAN) {
    at += bytes[at + 1] === 0xff ? 1 : 2 + bytes[at + 2] * 256 + bytes[at + 3];
  }
  return at;
}

function readWebp(view) {
  const kind = view.getUint32(12);
  const of = (at) => (view.getUint16(at, true) | (view.getUint8(at + 2) << 16)) + 1;
  if (kind === 0x56503858) return { width: of(24), height: of(27) }; // VP8X
  if (kind === 0x5650384c) {
    const bits = view.getUint32(21, true); // VP8L
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

function readAvif(view) {
  let largest;
  for (let at = 0; at + 16 <= Math.min(view.byteLength, 1 << 16); at++) {
    if (view.getUint32(at) !== 0x69737065) continue; // "ispe": the size of one of its images
    const size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    if (!largest || size.width * size.height > largest.width * largest.height) largest = size;
  }
  return largest;
}

function readBmp(view) {
  if (view.getUint32(14, true) === 12) return { width: view.getUint16(18, true), height: view.getUint16(20, true) };
  return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
}
