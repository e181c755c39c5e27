/* Asks all the time whether the preview still runs. When it has ended, the page says so until it runs again. */

const INTERVAL = 1000;
const ENDED = "The preview has ended. Start it again with make run, then reload this page.";
const INVALID = "This link is not valid. Open the link that make run has printed.";

/** So many answers in a row with the same unfinished action: nobody will ever finish it. */
const STUCK = 3;

const capability = location.hash.slice(1);

/** Call the server. Return its answer, `{ status }` of an error, or null if there is no server. */
export async function call(path, body) {
  try {
    const response = await fetch(`/api/inkling/${path}`, {
      method: body ? "POST" : "GET",
      headers: { "X-Simcord-Capability": capability, "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
      cache: "no-store",
    });
    return response.ok ? await response.json() : { status: response.status };
  } catch {
    return null;
  }
}

const notice = document.createElement("p");
notice.className = "inkling-notice";
notice.setAttribute("role", "alert");
notice.hidden = true;
document.body.prepend(notice);

function show(text) {
  if (notice.textContent !== text) notice.textContent = text;
  notice.hidden = !text;
}

/** Watch the server for as long as the page is open. Call `start` with its first answer. */
export async function watch(start) {
  let session = null;
  let misses = 0;
  let uncertain = { id: null, count: 0 };
  for (;;) {
    const answer = await call("status");
    misses = answer ? 0 : misses + 1;
    if (misses > 1) show(ENDED);
    else if (answer?.status === 401) show(INVALID);
    else if (answer?.session) {
      const id = window.simcordPreview?.transport.uncertainRequestId ?? null;
      uncertain = { id, count: id && id === uncertain.id ? uncertain.count + 1 : 0 };
      const isOther = session ? answer.session !== session : !notice.hidden;
      if (isOther || uncertain.count >= STUCK) {
        location.reload(); // SimCord's page does not find its way back by itself
        return;
      }
      show("");
      if (!session) start(answer);
      session = answer.session;
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}
