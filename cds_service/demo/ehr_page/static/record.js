// The chart behind the cards, read from the sandbox: orders, diagnoses, results, treatment.

import { element } from "./elements.js";
import { isOk, send } from "./http.js";

const PARTS = [
  ["Draft orders", "ServiceRequest", "ServiceRequest?patient=", "authoredOn"],
  ["Diagnoses", "Condition", "Condition?_sort=-recorded-date&patient=", "recordedDate"],
  ["Results", "Observation", "Observation?_sort=-date&_count=200&patient=", "effectiveDateTime"],
  ["Procedures", "Procedure", "Procedure?_sort=-date&patient=", "performedDateTime"],
  ["Medicines", "MedicationRequest", "MedicationRequest?patient=", "authoredOn"],
];

export async function showRecord(place, base, patientId, token) {
  const replies = await Promise.all(PARTS.map(([, , query]) =>
    send("GET", `${base}/${query}${encodeURIComponent(patientId)}`, { token, accept: "application/fhir+json" })));
  const opened = new Set([...place.querySelectorAll("details[open]")].map((one) => one.dataset.type));
  place.replaceChildren(element("h2", {}, "In the chart"));
  PARTS.forEach(([title, type, , date], index) => {
    const reply = replies[index];
    const found = isOk(reply) ? (reply.body.entry ?? []).map((entry) => entry.resource) : null;
    place.append(part(title, type, date, found, opened.has(type)));
  });
}

function part(title, type, date, resources, wasOpen) {
  const count = resources === null ? "not readable now" : resources.length;
  const open = wasOpen || (type === "ServiceRequest" && resources !== null && resources.length > 0);
  const box = element("details", { class: "panel", open, "data-type": type },
    element("summary", {}, `${title} (${count})`));
  if (resources?.length) {
    box.append(element("ul", { class: "entries" }, ...resources.map((resource) => entry(resource, date))));
  }
  return box;
}

function entry(resource, date) {
  const concept = resource.code ?? resource.medicationCodeableConcept ?? {};
  const name = concept.text ?? concept.coding?.[0]?.display ?? concept.coding?.[0]?.code ?? "without a name";
  const when = String(resource[date] ?? resource.performedPeriod?.start ?? resource.meta?.lastUpdated ?? "").slice(0, 10);
  return element("li", {},
    element("span", { class: "when" }, when), element("span", {}, name),
    element("span", { class: "value" }, value(resource)));
}

function value(resource) {
  if (resource.valueQuantity) return `${resource.valueQuantity.comparator ?? ""}${resource.valueQuantity.value} ${resource.valueQuantity.unit ?? ""}`;
  const coded = resource.valueCodeableConcept;
  if (coded) return coded.text ?? coded.coding?.[0]?.display ?? coded.coding?.[0]?.code ?? "";
  if (resource.valueString) return resource.valueString;
  return resource.resourceType === "ServiceRequest" ? [resource.status, resource.intent].filter(Boolean).join(", ") : "";
}
