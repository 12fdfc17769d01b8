// The camera: started, turned, stopped; and its pictures, one after the other, as fast as they are answered.

const WANTED = { width: { ideal: 640 }, height: { ideal: 480 } };
const SPEED_SECONDS = 2; // over which frames are counted
const MOST_MILLISECONDS = 500; // between two pictures

const PROBLEMS = {
  NotAllowedError:
    "The camera was refused. Allow it in the browser’s settings for this page (at the left of its address), and start " +
    "it again. Image files work without.",
  NotFoundError: "There is no camera here. Image files work without.",
  NotReadableError: "The camera is there, but another program uses it. Close that, and start it again.",
};

/** Say why there can be no camera here; nothing if there can. */
export function whyNoCamera() {
  if (navigator.mediaDevices?.getUserMedia) return "";
  if (!isSecureContext) {
    return (
      `Browsers give the camera only to pages from https, or from this very device; this one came from ` +
      `${location.origin}. Serve it over https, or open it as http://localhost. Image files work here.`
    );
  }
  return "This browser gives pages no camera. Image files work without.";
}

/** The camera, shown in a <video>. */
export class Camera {
  #video;
  #stream;
  #facing = "environment";
  #asking = 0;

  constructor(video) {
    this.#video = video;
  }

  get isOn() {
    return Boolean(this.#stream);
  }

  /** Whether its picture is to be shown as in a mirror: it looks at who holds it. */
  get isMirror() {
    return this.#stream?.getVideoTracks()[0].getSettings().facingMode === "user";
  }

  /**
   * Start it.
   *
   * @param deviceId which one; by default the one that looks the way that was asked for last
   * @throws Error with what to do, for people
   */
  async start(deviceId) {
    const reason = whyNoCamera();
    if (reason) throw new Error(reason);
    this.stop();
    const asking = ++this.#asking;
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: this.#facing };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { ...WANTED, ...which } });
      if (asking !== this.#asking) return stopAll(stream); // stopped, or asked again, in the meantime
      this.#stream = stream;
      stream.getVideoTracks()[0].onended = () => this.#video.dispatchEvent(new Event("unplugged"));
      this.#video.srcObject = stream;
      await this.#video.play();
    } catch (error) {
      if (asking === this.#asking) this.stop();
      throw new Error(PROBLEMS[error.name] ?? `The camera cannot be started: ${error.message}`);
    }
  }

  stop() {
    this.#asking++;
    stopAll(this.#stream);
    this.#stream = undefined;
    this.#video.srcObject = null;
  }

  /** Tell whether there is another one. */
  async hasAnother() {
    return (await cameras()).length > 1;
  }

  /** Go on with the other one: of a phone, front or back; else the next. */
  async turn() {
    const track = this.#stream.getVideoTracks()[0];
    const { facingMode, deviceId } = track.getSettings();
    if (facingMode) {
      this.#facing = facingMode === "user" ? "environment" : "user";
      return this.start();
    }
    const ids = (await cameras()).map((one) => one.deviceId);
    return this.start(ids[(ids.indexOf(deviceId) + 1) % ids.length]);
  }

  /**
   * Give pictures as long as it is on: the newest each time, and none twice.
   *
   * @param look (bitmap) takes one, and is awaited
   * @param tell (framesPerSecond) hears how fast it goes
   */
  async watch(look, tell) {
    const stream = this.#stream;
    const news = new News(this.#video, () => this.#stream === stream);
    const times = [];
    for (;;) {
      await news.wait();
      if (this.#stream !== stream) return;
      if (this.#video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) continue;
      await look(await createImageBitmap(this.#video));
      if (this.#stream !== stream) return;
      const now = performance.now() / 1000;
      times.push(now);
      while (times[0] < now - SPEED_SECONDS) times.shift();
      if (times.length > 1) tell((times.length - 1) / (now - times[0]));
    }
  }
}

/** Whether a video has a picture that nobody has taken yet. */
class News {
  #isThere = false;
  #wake = () => {};

  constructor(video, isOn) {
    const next = (found) =>
      video.requestVideoFrameCallback ? video.requestVideoFrameCallback(found) : requestAnimationFrame(found);
    const found = () => {
      this.#isThere = true;
      this.#wake();
      if (isOn()) next(found);
    };
    next(found);
  }

  /** Wait for one; not for ever, as a camera may be taken away. */
  async wait() {
    if (!this.#isThere) {
      await new Promise((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, MOST_MILLISECONDS);
      });
    }
    this.#isThere = false;
  }
}

function stopAll(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

async function cameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "videoinput");
}
