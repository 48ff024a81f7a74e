// The demo EHR: opens charts, fires the hook, and hands what users do with the cards back.

import { showCard } from "./cards.js";
import { element } from "./elements.js";
import * as hooks from "./hook.js";
import { isOk, send } from "./http.js";
import { NotUsable, readRecord } from "./own_record.js";
import { showRecord } from "./record.js";
import { Traffic } from "./traffic.js";

const PREFETCH_MILLISECONDS = 1500;
const PARTIAL = ["marrow", "blood", "csf"];
const USER = "Practitioner/demo";

const page = document.getElementById("ehr");
const part = (id) => document.getElementById(id);
const FHIR_SERVER = page.dataset.fhirServer;
// The sandbox is asked at the address under which this page was opened.
const SANDBOX = new URL(FHIR_SERVER).pathname;
const traffic = new Traffic(part("traffic"));

let opened = null; // the chart that is open: {patientId, own} or null
let turn = 0; // only the newest opening may draw

const demoPatient = (id) => [...document.querySelectorAll(".patient")].find((one) => one.dataset.patient === id);

async function openChart(chart) {
  const mine = ++turn;
  opened = chart;
  drawHead(chart);
  traffic.clear();
  say("The chart is being opened …");
  bringIntoSight();
  try {
    const result = await fire(chart);
    if (mine !== turn) return;
    drawAnswer(chart, result);
    if (!chart.own) await showRecord(part("record"), SANDBOX, chart.patientId, result.access.access_token);
  } catch (fault) {
    if (mine !== turn) return;
    say("The chart could not be opened: this page's server does not answer as expected.");
    traffic.line(fault.message);
  }
}

async function fire(chart) {
  const { reply, service } = await hooks.discover(page.dataset.service);
  traffic.line(`GET /cds-services: ${reply.status}, ${reply.milliseconds} ms`);
  if (!service) throw new Error("Discovery does not offer the service.");
  const context = { userId: USER, patientId: chart.patientId };
  let access = null;
  let filled = chart.own?.prefetch;
  if (!chart.own) {
    await mustSend("PUT", "/demo/ehr/fault", { fault: part("fault").value, patient: chart.patientId });
    access = await mustSend("POST", "/demo/ehr/token", { patient: chart.patientId });
    filled = await fromSandbox(service, context, access);
  }
  const handOver = !chart.own && part("access").checked;
  const body = hooks.request(service, context, {
    fhirServer: handOver ? FHIR_SERVER : "", access: handOver ? access : null, filled,
  });
  const answer = await hooks.call(service, body);
  traffic.request(`/cds-services/${service.id}`, body);
  return { service, access, answer };
}

async function fromSandbox(service, context, access) {
  const how = part("prefetch").value;
  if (how === "none") return {};
  const templates = service.prefetch ?? {};
  const started = performance.now();
  const filled = await hooks.prefetch(templates, context, {
    base: SANDBOX,
    token: access.access_token,
    leaveOut: how === "partial" ? PARTIAL : [],
    milliseconds: PREFETCH_MILLISECONDS,
  });
  const missing = Object.keys(templates).filter((key) => !(key in filled));
  traffic.line(`Prefetch from the FHIR server: ${Object.keys(filled).length} keys in `
    + `${Math.round(performance.now() - started)} ms${missing.length ? `; left out: ${missing.join(", ")}` : ""}`);
  return filled;
}

async function mustSend(method, url, body) {
  const reply = await send(method, url, { body });
  if (!isOk(reply)) throw new Error(`${method} ${url} answered ${reply.status}.`);
  return reply.body;
}

function drawHead(chart) {
  const button = demoPatient(chart.patientId);
  document.querySelectorAll(".patient").forEach((one) =>
    one.setAttribute("aria-pressed", String(!chart.own && one === button)));
  const named = !chart.own && button;
  part("chart-title").textContent = named ? button.dataset.name : `Patient ${chart.patientId}`;
  part("chart-line").textContent = named
    ? `${button.dataset.sex}, ${button.dataset.age} years, Patient/${chart.patientId}`
    : `your own record, ${chart.own?.resources} resources`;
  part("cards").replaceChildren();
  part("record").replaceChildren();
  part("reopen").disabled = false;
}

// Beside the list of patients the chart is in sight already; below it, it is not.
function bringIntoSight() {
  const head = part("chart-title").getBoundingClientRect();
  if (head.top > window.innerHeight * 0.5) part("switches").scrollIntoView();
}

function drawAnswer(chart, { service, access, answer }) {
  traffic.json(`Answer: ${answer.status}, ${answer.milliseconds} ms`, answer.body, { open: true, name: "response" });
  if (answer.status !== 200 || !Array.isArray(answer.body?.cards)) {
    say("");
    part("cards").append(refusal(answer));
    bringIntoSight();
    return;
  }
  const { cards } = answer.body;
  const many = cards.length === 1 ? "1 card" : `${cards.length} cards`;
  say(cards.length ? `${many} in ${answer.milliseconds} ms.` : `No card, in ${answer.milliseconds} ms.`);
  if (cards.length === 0) part("cards").append(silence());
  const desk = deskFor(chart, service, access);
  cards.forEach((card, index) => part("cards").append(showCard(card, desk, index === 0)));
  bringIntoSight();
}

function silence() {
  return element("div", { class: "notice" },
    element("p", {}, "The service has nothing to say about this chart. An EHR shows nothing here."),
    element("p", { class: "muted small" }, "A card that was accepted or set aside stays away until its evidence changes."));
}

function refusal(answer) {
  const issue = answer.body?.issue?.[0];
  return element("div", { class: "notice critical refusal" },
    element("h3", {}, `The service did not evaluate: HTTP ${answer.status || "no answer"}`),
    element("p", {}, issue?.details?.text ?? "No reason was given."),
    issue?.diagnostics ? element("p", { class: "mono" }, issue.diagnostics) : null,
    element("p", { class: "muted small" }, "An EHR shows no card and must not show this as an all-clear."));
}

function deskFor(chart, service, access) {
  const inTime = () => new Date(Date.now() + (access ? Date.parse(access.now) - access.received : 0)).toISOString();
  if (access) access.received = Date.now();
  return {
    mayOrder: !chart.own,
    launch: (link) => launchAddress(link, chart),
    async accept(card, suggestion) {
      const created = [];
      for (const action of suggestion.actions ?? []) {
        const reply = await carryOut(action, chart.patientId);
        if (!isOk(reply)) return { done: false, words: `The order could not be drafted: the FHIR server answered ${reply.status}.` };
        created.push(`${reply.body.resourceType}/${reply.body.id}`);
      }
      const item = { card: card.uuid, outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }], outcomeTimestamp: inTime() };
      const told = await tell(service, item);
      await refreshRecord(chart);
      return { done: told, words: `Drafted in the chart: ${created.join(", ")}. ${toldWords(told)}` };
    },
    async setAside(card, reason, comment) {
      const item = { card: card.uuid, outcome: "overridden", outcomeTimestamp: inTime() };
      const why = { ...(reason ? { reason } : {}), ...(comment ? { userComment: comment } : {}) };
      if (Object.keys(why).length) item.overrideReason = why;
      const told = await tell(service, item);
      return { done: told, words: `Set aside${reason ? `: ${reason.display}` : ""}. ${toldWords(told)}` };
    },
  };
}

const toldWords = (told) => (told ? "The service was told." : "The service could not be told; try again.");

async function carryOut(action, patientId) {
  const { id, ...resource } = action.resource ?? {};
  const access = await mustSend("POST", "/demo/ehr/token", { patient: patientId });
  const token = access.access_token;
  const type = encodeURIComponent(resource.resourceType);
  if (action.type === "create") return send("POST", `${SANDBOX}/${type}`, { body: resource, token });
  if (action.type === "update") {
    return send("PUT", `${SANDBOX}/${type}/${encodeURIComponent(id)}`, { body: { ...resource, id }, token });
  }
  return { status: 0, body: null };
}

async function tell(service, item) {
  const { body, reply } = await hooks.giveFeedback(service, item);
  traffic.json(`POST /cds-services/${service.id}/feedback: ${reply.status}, ${reply.milliseconds} ms`, body, { name: "feedback" });
  return isOk(reply);
}

async function refreshRecord(chart) {
  if (chart !== opened || chart.own) return;
  const access = await mustSend("POST", "/demo/ehr/token", { patient: chart.patientId });
  await showRecord(part("record"), SANDBOX, chart.patientId, access.access_token);
}

function launchAddress(link, chart) {
  const address = new URL(link.url);
  if (!chart.own) address.searchParams.set("patient", chart.patientId);
  return address.href;
}

function say(words) {
  part("progress").textContent = words;
}

async function openFile(file) {
  const message = part("drop-message");
  message.className = "";
  message.textContent = "";
  if (!file) return;
  try {
    const { service } = await hooks.discover(page.dataset.service);
    const own = await readRecord(file, service?.prefetch ?? {});
    await openChart({ patientId: own.patientId, own });
  } catch (fault) {
    message.className = "notice critical";
    message.textContent = fault instanceof NotUsable ? fault.message : "The file could not be read.";
  }
}

function openFromAddress() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (demoPatient(id)) openChart({ patientId: id, own: null });
}

part("patients").addEventListener("click", (event) => {
  const button = event.target.closest(".patient");
  if (!button) return;
  const address = `#${encodeURIComponent(button.dataset.patient)}`;
  if (location.hash === address) openFromAddress();
  else location.hash = address;
});
part("reopen").addEventListener("click", () => opened && openChart(opened));
part("afresh").addEventListener("click", async () => {
  const reply = await send("POST", "/demo/ehr/afresh", { body: {} });
  part("afresh-said").textContent = isOk(reply) ? "All charts are as they were." : "That did not work; try again.";
  part("fault").value = "none";
  if (opened) openChart(opened);
});
part("switches").addEventListener("submit", (event) => event.preventDefault());
part("switches").addEventListener("change", () => {
  part("hint").hidden = !["down", "slow"].includes(part("fault").value);
  if (opened && !opened.own) openChart(opened);
});
part("bundle").addEventListener("change", (event) => {
  openFile(event.target.files[0]);
  event.target.value = "";
});
const drop = part("drop");
for (const kind of ["dragover", "dragenter"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("ready");
  });
}
drop.addEventListener("dragleave", () => drop.classList.remove("ready"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("ready");
  openFile(event.dataTransfer.files[0]);
});
window.addEventListener("hashchange", openFromAddress);
openFromAddress();
