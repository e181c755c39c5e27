/* Asks all the time whether the preview still runs. When it has ended, the page says so until it runs again. */

const INTERVAL = 1000;
const ENDED = "The preview has ended. Start it again with make run: this page then continues by itself.";
const ENDED_WORK = "This work has ended with the preview.";
const RESTARTED = "The preview was started again. Its messages from before are gone.";
const INVALID = "This link is not valid. Open the link that make run has printed.";

/** So many answers in a row with the same unfinished action: nobody will ever finish it. */
const STUCK = 3;

const capability = location.hash.slice(1);

/** Call the preview's server. Return its answer, `{ status }` of an error, or null if there is no server. */
export function call(path, body) {
  return request(`/api/inkling/${path}`, { "Content-Type": "application/json" }, body);
}

/** Call any server of the page, in the same way as `call`. */
export async function request(path, headers, body) {
  try {
    const response = await fetch(path, {
      method: body ? "POST" : "GET",
      headers: { "X-Simcord-Capability": capability, ...headers },
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

/* --- the preview has ended: nothing can be sent, and no work goes on --- */

const CONTROLS = "#channel-composer, .inkling-examples, .message-components, .modal-actions";

/** Show whether the preview has ended. `running` are the ids of the messages that show work in progress. */
function setEnded(ended, running) {
  if (ended === document.body.classList.contains("inkling-ended")) return;
  document.body.classList.toggle("inkling-ended", ended);
  for (const control of document.querySelectorAll(CONTROLS)) control.inert = ended;
  document.querySelectorAll(".inkling-ended-work").forEach((note) => note.remove());
  if (!ended) return;
  for (const id of running) {
    const note = document.createElement("p");
    note.className = "inkling-ended-work";
    note.textContent = ENDED_WORK;
    document.querySelector(`[data-message-id="${id}"] .message-content`)?.after(note);
  }
}

/* --- the preview was started again: its offline Discord has no messages from before --- */

const START = "inkling-start";

function noteRestart(start) {
  const before = sessionStorage.getItem(START);
  sessionStorage.setItem(START, start);
  if (!before || before === start) return;
  const note = document.createElement("p");
  note.className = "inkling-restarted";
  note.setAttribute("role", "status");
  note.textContent = RESTARTED;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close this note");
  close.addEventListener("click", () => note.remove());
  note.append(close);
  document.getElementById("channel-composer").before(note);
}

/** Watch the server for as long as the page is open. Call `update` with each answer, and `start` with the first one. */
export async function watch(start, update) {
  let session = null;
  let running = [];
  let misses = 0;
  let uncertain = { id: null, count: 0 };
  for (;;) {
    const answer = await call("status");
    misses = answer ? 0 : misses + 1;
    if (misses > 1) {
      show(ENDED);
      setEnded(true, running);
    } else if (answer?.status === 401) show(INVALID);
    else if (answer?.session) {
      const id = window.simcordPreview?.transport.uncertainRequestId ?? null;
      uncertain = { id, count: id && id === uncertain.id ? uncertain.count + 1 : 0 };
      const isOther = session ? answer.session !== session : !notice.hidden;
      if (isOther || uncertain.count >= STUCK) {
        location.reload(); // SimCord's page does not find its way back by itself
        return;
      }
      show("");
      setEnded(false);
      update(answer);
      if (!session) {
        noteRestart(answer.start);
        start(answer);
      }
      ({ session, running } = answer);
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}
