// Pixels brought to the size and the channels of the model's images: podium/images/fitting.py, byte for byte.
//
// An image here is {pixels, width, height, channels}: rows of 8-bit pixels, of one channel (gray) or of three (red,
// green, blue). The arithmetic is OpenCV's own (modules/imgproc/src/resize.cpp): shrinking averages the area, growing is
// bilinear, whole numbers and single precision where it has them, halves rounded to the even number.

const ONE = 2048; // OpenCV's weights of a bilinear step are of 11 bit
const ALMOST_NOTHING = 2 ** -52; // a whole scale may miss a whole number by so much
const NO_PART = 1e-3; // a smaller part of a pixel is left out

/** Bring an image to size {height, width, channels, resize}. */
export function fit(image, size) {
  let { pixels, width, height, channels } = image;
  if (width === size.width && height === size.height && channels === size.channels) return image;
  if (channels === 3 && size.channels === 1) {
    pixels = toGray(pixels);
    channels = 1;
  }
  const at = placement(width, height, size);
  let fitted = cut(pixels, width, channels, at);
  if (at.toWidth !== at.fromWidth || at.toHeight !== at.fromHeight) {
    const shrinks = at.toWidth * at.toHeight < at.fromWidth * at.fromHeight;
    fitted = resize(fitted, at.fromWidth, at.fromHeight, channels, at.toWidth, at.toHeight, shrinks);
  }
  if (at.toWidth !== size.width || at.toHeight !== size.height) fitted = frame(fitted, channels, at, size);
  if (channels < size.channels) fitted = repeat(fitted, size.channels);
  return { pixels: fitted, width: size.width, height: size.height, channels: size.channels };
}

/** Say which rectangle of an image becomes which rectangle of the array; whole pixels. */
export function placement(width, height, size) {
  if (size.resize === "pad") {
    const scale = Math.min(size.width / width, size.height / height);
    const toWidth = Math.max(1, roundToEven(width * scale));
    const toHeight = Math.max(1, roundToEven(height * scale));
    const toLeft = Math.floor((size.width - toWidth) / 2);
    const toTop = Math.floor((size.height - toHeight) / 2);
    return { fromLeft: 0, fromTop: 0, fromWidth: width, fromHeight: height, toLeft, toTop, toWidth, toHeight };
  }
  const to = { toLeft: 0, toTop: 0, toWidth: size.width, toHeight: size.height };
  if (size.resize === "stretch") return { fromLeft: 0, fromTop: 0, fromWidth: width, fromHeight: height, ...to };
  const scale = Math.max(size.width / width, size.height / height);
  const fromWidth = Math.min(width, Math.max(1, roundToEven(size.width / scale)));
  const fromHeight = Math.min(height, Math.max(1, roundToEven(size.height / scale)));
  const fromLeft = Math.floor((width - fromWidth) / 2);
  const fromTop = Math.floor((height - fromHeight) / 2);
  return { fromLeft, fromTop, fromWidth, fromHeight, ...to };
}

/** Move a box (left, top, right, bottom: parts of the array) back to the image's own pixels, and cut it off there. */
export function moveBack(box, at, size, width, height) {
  const across = at.fromWidth / at.toWidth;
  const down = at.fromHeight / at.toHeight;
  return [...box].map((part, edge) =>
    edge % 2
      ? clip((part * size.height - at.toTop) * down + at.fromTop, height)
      : clip((part * size.width - at.toLeft) * across + at.fromLeft, width),
  );
}

/**
 * Reduce a JPEG's pixels to a half, a quarter or an eighth, as its decoder would: the mean of each square.
 *
 * @param begins {right, bottom}: where the first square lies, as the image may have been turned since
 */
export function reduce(image, scale, begins) {
  const { pixels, width, height, channels } = image;
  const toWidth = Math.ceil(width / scale);
  const toHeight = Math.ceil(height / scale);
  const beyond = begins.right ? toWidth * scale - width : 0; // the last square may reach over the edge
  const above = begins.bottom ? toHeight * scale - height : 0;
  const reduced = new Uint8Array(toWidth * toHeight * channels);
  const sums = new Uint32Array(toWidth * channels);
  for (let y = 0; y < toHeight; y++) {
    sums.fill(0);
    for (let row = 0; row < scale; row++) {
      const start = clip(y * scale + row - above, height - 1) * width * channels;
      for (let x = 0; x < toWidth * scale; x++) {
        const from = start + clip(x - beyond, width - 1) * channels;
        const to = Math.floor(x / scale) * channels;
        for (let channel = 0; channel < channels; channel++) sums[to + channel] += pixels[from + channel];
      }
    }
    for (let at = 0; at < sums.length; at++) {
      reduced[y * sums.length + at] = Math.floor(sums[at] / (scale * scale) + 0.5);
    }
  }
  return { pixels: reduced, width: toWidth, height: toHeight, channels };
}

function clip(value, limit) {
  return Math.min(Math.max(value, 0), limit);
}

function roundToEven(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}

function toGray(pixels) {
  const gray = new Uint8Array(pixels.length / 3);
  for (let at = 0, from = 0; at < gray.length; at++, from += 3) {
    gray[at] = (pixels[from] * 9798 + pixels[from + 1] * 19235 + pixels[from + 2] * 3735 + 16384) >> 15;
  }
  return gray;
}

function cut(pixels, width, channels, at) {
  const row = at.fromWidth * channels;
  if (at.fromWidth === width) return pixels.subarray(at.fromTop * row, (at.fromTop + at.fromHeight) * row);
  const part = new Uint8Array(at.fromHeight * row);
  for (let y = 0; y < at.fromHeight; y++) {
    const start = ((at.fromTop + y) * width + at.fromLeft) * channels;
    part.set(pixels.subarray(start, start + row), y * row);
  }
  return part;
}

function frame(pixels, channels, at, size) {
  const framed = new Uint8Array(size.height * size.width * channels);
  const row = at.toWidth * channels;
  for (let y = 0; y < at.toHeight; y++) {
    framed.set(pixels.subarray(y * row, (y + 1) * row), ((at.toTop + y) * size.width + at.toLeft) * channels);
  }
  return framed;
}

function repeat(pixels, channels) {
  const repeated = new Uint8Array(pixels.length * channels);
  for (let at = 0; at < repeated.length; at++) repeated[at] = pixels[Math.floor(at / channels)];
  return repeated;
}

function resize(pixels, width, height, channels, toWidth, toHeight, shrinks) {
  const across = 1 / (toWidth / width); // as OpenCV has it: not always the same as width / toWidth
  const down = 1 / (toHeight / height);
  const wholeAcross = roundToEven(across);
  const wholeDown = roundToEven(down);
  const whole = Math.abs(across - wholeAcross) < ALMOST_NOTHING && Math.abs(down - wholeDown) < ALMOST_NOTHING;
  if (shrinks && across >= 1 && down >= 1) {
    if (whole) return averageWhole(pixels, width, channels, toWidth, toHeight, wholeAcross, wholeDown);
    return averageParts(pixels, width, height, channels, toWidth, toHeight, across, down);
  }
  return interpolate(pixels, width, height, channels, toWidth, toHeight, shrinks);
}

function averageWhole(pixels, width, channels, toWidth, toHeight, across, down) {
  const to = new Uint8Array(toWidth * toHeight * channels);
  const share = Math.fround(1 / (across * down));
  const isFour = across === 2 && down === 2;
  let at = 0;
  for (let y = 0; y < toHeight; y++) {
    for (let x = 0; x < toWidth; x++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let row = y * down; row < (y + 1) * down; row++) {
          let from = (row * width + x * across) * channels + channel;
          for (let column = 0; column < across; column++, from += channels) sum += pixels[from];
        }
        to[at++] = isFour ? (sum + 2) >> 2 : roundToEven(Math.fround(sum * share));
      }
    }
  }
  return to;
}

function averageParts(pixels, width, height, channels, toWidth, toHeight, across, down) {
  const columns = shares(width, toWidth, across);
  const rows = shares(height, toHeight, down);
  const length = toWidth * channels;
  const to = new Uint8Array(length * toHeight);
  const line = new Float32Array(length);
  const sums = new Float32Array(length);
  for (let part = 0; part < rows.to.length; part++) {
    line.fill(0);
    const start = rows.from[part] * width * channels;
    for (let at = 0; at < columns.to.length; at++) {
      const share = columns.share[at];
      const from = start + columns.from[at] * channels;
      const into = columns.to[at] * channels;
      for (let channel = 0; channel < channels; channel++) {
        line[into + channel] = Math.fround(line[into + channel] + Math.fround(pixels[from + channel] * share));
      }
    }
    const y = rows.to[part];
    const share = rows.share[part];
    const isFirst = part === 0 || rows.to[part - 1] !== y;
    for (let at = 0; at < length; at++) {
      const product = Math.fround(share * line[at]);
      sums[at] = isFirst ? product : Math.fround(sums[at] + product);
    }
    if (part + 1 === rows.to.length || rows.to[part + 1] !== y) {
      for (let at = 0; at < length; at++) to[y * length + at] = Math.min(255, roundToEven(sums[at]));
    }
  }
  return to;
}

/** Say which pixels of a row have which share in which pixel of the smaller row. */
function shares(length, toLength, scale) {
  const to = [];
  const from = [];
  const share = [];
  const add = (target, source, part) => {
    to.push(target);
    from.push(source);
    share.push(Math.fround(part));
  };
  for (let target = 0; target < toLength; target++) {
    const begin = target * scale;
    const end = begin + scale;
    const cell = Math.min(scale, length - begin);
    const last = Math.min(Math.floor(end), length - 1);
    const first = Math.min(Math.ceil(begin), last);
    if (first - begin > NO_PART) add(target, first - 1, (first - begin) / cell);
    for (let source = first; source < last; source++) add(target, source, 1 / cell);
    if (end - last > NO_PART) add(target, last, Math.min(end - last, 1, cell) / cell);
  }
  return { to, from, share };
}

function interpolate(pixels, width, height, channels, toWidth, toHeight, shrinks) {
  const columns = weights(width, toWidth, shrinks);
  const rows = weights(height, toHeight, shrinks);
  const length = toWidth * channels;
  const to = new Uint8Array(length * toHeight);
  const lines = new Map(); // the two that are in use
  const lineOf = (row) => {
    const y = clip(row, height - 1);
    if (!lines.has(y)) {
      for (const other of lines.keys()) if (other < y - 1) lines.delete(other);
      lines.set(y, stretchRow(pixels, y * width * channels, width, channels, toWidth, columns));
    }
    return lines.get(y);
  };
  for (let y = 0; y < toHeight; y++) {
    const above = lineOf(rows.from[y]);
    const below = lineOf(rows.from[y] + 1);
    const first = rows.first[y];
    const second = rows.second[y];
    for (let at = 0; at < length; at++) {
      to[y * length + at] = ((((above[at] >> 4) * first) >> 16) + (((below[at] >> 4) * second) >> 16) + 2) >> 2;
    }
  }
  return to;
}

function stretchRow(pixels, start, width, channels, toWidth, columns) {
  const line = new Int32Array(toWidth * channels);
  for (let x = 0; x < toWidth; x++) {
    const left = clip(columns.from[x], width - 1);
    const isEdge = columns.from[x] < 0 || columns.from[x] >= width - 1;
    const first = isEdge ? ONE : columns.first[x];
    const second = isEdge ? 0 : columns.second[x];
    const right = isEdge ? left : left + 1;
    for (let channel = 0; channel < channels; channel++) {
      const one = pixels[start + left * channels + channel];
      const other = pixels[start + right * channels + channel];
      line[x * channels + channel] = one * first + other * second;
    }
  }
  return line;
}

/** Say between which two pixels each pixel of the longer row lies, and the weights of both, of 11 bit. */
function weights(length, toLength, shrinks) {
  const scale = 1 / (toLength / length);
  const from = new Int32Array(toLength);
  const first = new Int32Array(toLength);
  const second = new Int32Array(toLength);
  for (let target = 0; target < toLength; target++) {
    let place;
    let part;
    if (shrinks) {
      // The other side shrinks: OpenCV's "area" is a bilinear step of its own then.
      place = Math.floor(target * scale);
      part = Math.fround(target + 1 - (place + 1) * (toLength / length));
      part = part <= 0 ? 0 : Math.fround(part - Math.floor(part));
    } else {
      part = Math.fround((target + 0.5) * scale - 0.5);
      place = Math.floor(part);
      part = Math.fround(part - place);
    }
    from[target] = place;
    first[target] = roundToEven(Math.fround(Math.fround(1 - part) * ONE));
    second[target] = roundToEven(Math.fround(part * ONE));
  }
  return { from, first, second };
}
