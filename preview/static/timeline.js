/* The list of messages: what is in sight, and how its links and pictures look. */

import { channelNamed, nameOf, openChannel } from "./channels.js";
import { input } from "./command-box.js";

const app = document.getElementById("preview-app");
const timeline = document.getElementById("channel-timeline");
const list = document.getElementById("channel-message-list");
const newer = document.getElementById("history-newer");
const newMessages = document.getElementById("new-messages");

/* --- the newest message stays in sight, unless somebody has scrolled up to read --- */

function follow() {
  if (isOpening) {
    scrollToEnd();
    return;
  }
  const below = timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight;
  if (below < timeline.clientHeight) scrollToEnd();
}

/** Go to the newest message. SimCord then stays at the end when further messages appear. */
export function scrollToEnd() {
  timeline.scrollTop = timeline.scrollHeight;
  timeline.dispatchEvent(new Event("scroll")); // the browser's own comes late: SimCord may scroll back before
}

let isSending = false;

/** Go to the newest message when somebody sends a message or a command. Call it when SimCord's action changes. */
export function followSender() {
  const kind = window.simcordPreview.pendingAction?.kind;
  if (kind === "send_message" || kind === "run_command") {
    isSending = true;
    scrollToEnd();
  } else if (!kind && isSending) {
    isSending = false;
    if (document.activeElement === document.body) input.focus(); // for the next words
    if (!newer.hidden) newMessages.click(); // the page shows an older part of a long history
  }
}

newMessages.addEventListener("click", scrollToEnd);

/* While the page opens, the list grows with each picture that has arrived. */
let isOpening = true;

function endOpening() {
  isOpening = false;
}

for (const kind of ["wheel", "touchmove", "keydown"]) timeline.addEventListener(kind, endOpening, { once: true });

const sizes = new ResizeObserver(follow);
sizes.observe(list);
sizes.observe(timeline);

const start = new MutationObserver(() => {
  if (app.getAttribute("aria-busy") !== "false") return;
  start.disconnect();
  if (isOpening) scrollToEnd();
  endOpening();
});
start.observe(app, { attributeFilter: ["aria-busy"] });

/* --- pictures and links --- */

/** Move pictures above the buttons of their message, where Discord shows them. */
function movePictures() {
  for (const pictures of document.querySelectorAll(".message-components + .message-attachments")) {
    pictures.previousElementSibling.before(pictures);
  }
}

const LINK = /^https:\/\/(?:\w+\.)?discord(?:app)?\.com\/channels\/(?:@me|\d+)\/(\d+)(?:\/(\d+))?$/;

/** Show links to channels and messages as Discord does, by the name of their channel. */
function nameLinks() {
  for (const link of list.querySelectorAll(":is(a.markdown-link, a.message-system-link):not([data-inkling])")) {
    const [, channel, message] = LINK.exec(link.href) ?? [];
    const isNotice = link.matches(".message-system-link"); // of a thread, which may not be listed yet
    if (!channel || !(isNotice || nameOf(channel))) continue;
    link.dataset.inkling = "true";
    link.addEventListener("click", (event) => {
      event.preventDefault(); // there is no such channel on the real Discord
      show(channel, message);
    });
    if (link.textContent !== link.href) continue; // it has its own words
    link.classList.add("mention");
    link.textContent = `# ${nameOf(channel)}${message ? " › 💬" : ""}`;
  }
}

/** Let mentions of channels be followed, as in Discord. */
function linkMentions() {
  for (const mention of list.querySelectorAll("span.mention:not([data-inkling])")) {
    const channel = mention.textContent.startsWith("#") && channelNamed(mention.textContent.slice(1));
    if (!channel) continue;
    mention.dataset.inkling = "true";
    mention.tabIndex = 0;
    mention.setAttribute("role", "link");
    mention.addEventListener("click", () => openChannel(channel));
    mention.addEventListener("keydown", ({ key }) => key === "Enter" && openChannel(channel));
  }
}

function show(channel, message) {
  const found = list.querySelector(`[data-message-id="${message}"]`);
  if (found) {
    found.scrollIntoView({ block: "center" });
    found.classList.add("inkling-found");
    found.addEventListener("animationend", () => found.classList.remove("inkling-found"), { once: true });
  } else openChannel(channel);
}

/** Show links, mentions and pictures of the messages as Discord does. */
export function improveMessages() {
  movePictures();
  nameLinks();
  linkMentions();
}

/** Call `changed` after each change of the messages. */
export function watchMessages(changed) {
  const update = () => {
    changed();
    improveMessages();
    requestAnimationFrame(follow);
  };
  new MutationObserver(update).observe(list, { childList: true, subtree: true, characterData: true });
  update();
}
