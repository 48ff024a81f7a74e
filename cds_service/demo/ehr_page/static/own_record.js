// A record of one's own: a Bundle from a file, turned into the full prefetch that an EHR would send.

import { fill } from "./hook.js";

export const MOST_BYTES = 16 * 1024 * 1024;

// What is wrong with a file, in words for its owner.
export class NotUsable extends Error {}

export async function readRecord(file, templates) {
  if (file.size > MOST_BYTES) throw new NotUsable("The file is larger than 16 MB, more than the service reads.");
  let bundle = null;
  try {
    bundle = JSON.parse(await file.text());
  } catch {
    throw new NotUsable("The file is not JSON. Choose a FHIR R4 Bundle in JSON; XML is not read.");
  }
  if (bundle === null || typeof bundle !== "object" || bundle.resourceType !== "Bundle") {
    const found = typeof bundle?.resourceType === "string" ? `It holds a ${bundle.resourceType.slice(0, 40)}.` : "It has no resourceType.";
    throw new NotUsable(`The file is not a FHIR Bundle. ${found}`);
  }
  const entries = (Array.isArray(bundle.entry) ? bundle.entry : [])
    .filter((entry) => typeof entry?.resource?.resourceType === "string");
  if (entries.length === 0) throw new NotUsable("The Bundle has no entries with resources.");
  const patients = entries.filter((entry) => entry.resource.resourceType === "Patient");
  if (patients.length !== 1) {
    throw new NotUsable(`The Bundle must hold one Patient; this one holds ${patients.length}.`);
  }
  const patient = patients[0].resource;
  if (typeof patient.id !== "string" || !/^[A-Za-z0-9.-]{1,64}$/.test(patient.id)) {
    throw new NotUsable("The Patient has no FHIR id, so nothing can be shown to belong to it.");
  }
  const places = new Map(entries.filter((entry) => entry.fullUrl && entry.resource.id)
    .map((entry) => [entry.fullUrl, `${entry.resource.resourceType}/${entry.resource.id}`]));
  const resources = entries.map((entry) => resolved(entry.resource, places));
  return { patientId: patient.id, resources: resources.length, prefetch: sorted(resources, templates, patient.id) };
}

// References to entries by their fullUrl become relative ones, as a server makes them that stores a Bundle.
function resolved(value, places) {
  if (Array.isArray(value)) return value.map((item) => resolved(item, places));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) =>
    [key, key === "reference" && places.has(item) ? places.get(item) : resolved(item, places)]));
}

// Every key of discovery, filled by resource type and by the codes of its query. What fits no key is sent
// along as well: the service recognises data by type and code, and names what it leaves out.
function sorted(resources, templates, patientId) {
  const found = {};
  const placed = new Set();
  for (const [key, template] of Object.entries(templates)) {
    const [type, query = ""] = (fill(template, { userId: "Practitioner/demo", patientId }) ?? "").split("?");
    const codes = codesOf(query);
    const own = resources.filter((resource) => resource.resourceType === type.split("/")[0]
      && (codes === null || hasCode(resource, codes)));
    own.forEach((resource) => placed.add(resource));
    found[key] = query === "" && own.length === 1 ? own[0] : searchset(own);
  }
  const rest = resources.filter((resource) => !placed.has(resource));
  return rest.length > 0 ? { ...found, others: searchset(rest) } : found;
}

function codesOf(query) {
  const asked = new URLSearchParams(query).get("code");
  return asked === null ? null : new Set(asked.split(","));
}

function hasCode(resource, codes) {
  const concepts = [resource.code, ...(resource.component ?? []).map((part) => part?.code)];
  return concepts.some((concept) => (concept?.coding ?? []).some((coding) =>
    codes.has(`${coding?.system}|${coding?.code}`) || codes.has(`${coding?.code}`)));
}

function searchset(resources) {
  const bundle = { resourceType: "Bundle", type: "searchset", total: resources.length };
  if (resources.length > 0) {
    bundle.entry = resources.map((resource) => ({ resource, search: { mode: "match" } }));
  }
  return bundle;
}
