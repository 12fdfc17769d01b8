// Keeps the whole page, so that it works with the network off; a new export has another digest, and replaces it.
// KEPT, in the line above, is written with the folder: {digest, files}.
"use strict";
const PREFIX = `podium ${self.registration.scope} `;
const CACHE = PREFIX + KEPT.digest;

self.addEventListener("install", (event) => {
  const requests = KEPT.files.map((name) => new Request(name, { cache: "reload" })); // not an older one of the browser's own
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(requests))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const clean = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
    if (old.length) for (const client of await self.clients.matchAll()) client.postMessage("newer");
  };
  event.waitUntil(clean());
});

self.addEventListener("fetch", (event) => {
  const options = { ignoreSearch: true, cacheName: CACHE };
  event.respondWith(caches.match(event.request, options).then((kept) => kept ?? fetch(event.request)));
});
