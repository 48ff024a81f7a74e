// Making elements. Text is always set as text, so nothing of a chart can become markup.

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (key in made && typeof value !== "string") made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// A link to another place, or its bare label where the address is no web address.
export function outwardLink(label, address) {
  let url = null;
  try {
    url = new URL(address);
  } catch {
    url = null;
  }
  if (!url || !["https:", "http:"].includes(url.protocol)) return element("span", {}, label);
  return element("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, label);
}
