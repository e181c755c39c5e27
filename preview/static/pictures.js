/*
 * Fetches pictures two at a time, the newest first. SimCord asks for all at once, and a browser has six connections to
 * a server: messages and actions would wait for them.
 */

const AT_ONCE = 2;

const fetchNow = window.fetch;
const waiting = [];
let running = 0;

window.fetch = (path, options) => {
  if (!String(path).startsWith("/api/assets/")) return fetchNow(path, options);
  return new Promise((resolve, reject) => {
    waiting.push(() => fetchNow(path, options).then(resolve, reject));
    queueMicrotask(startNext); // after SimCord has asked for all pictures
  });
};

function startNext() {
  if (running === AT_ONCE || !waiting.length) return;
  running += 1;
  waiting.pop()().finally(() => {
    running -= 1;
    startNext();
  });
}
