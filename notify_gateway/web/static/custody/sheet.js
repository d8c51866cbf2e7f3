// SPDX-License-Identifier: MIT
// What an opened card says, in plain words: the sections of privacy/sheet.py that come from the card alone, made here, in the browser.
// A section is {heading, groups}, a group a list of [label, texts]. Nothing of it ever becomes markup: see `shown`.

const TOLD_ELSEWHERE = new Set(["child", "carers", "summary", "opinions", "parental_words", "notifier", "sender", "identifier"]);
const ENCLOSED = { involvement, asq_3: scores, observations, attachments };
const MAIN = ["name", "value", "language", "words", "display"];
const ADDRESS = ["text", "line", "city", "district", "postalCode"];
const MONTHS = "January February March April May June July August September October November December".split(" ");
// Control characters, halves of characters, and those that turn the direction of a line.
const NOT_SHOWN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/** Return the sections of a card. `words` are those of privacy/wording.py. */
export function sectionsOf(card, words) {
  const names = Object.keys(card).filter((name) => !TOLD_ELSEWHERE.has(name) && !(name in ENCLOSED));
  const sections = [
    fromCard(card, "child", words),
    fromCard(card, "carers", words),
    { heading: "In the parent’s own words", groups: [line("", listed(card.parental_words))] },
    { heading: "As the trust put it", groups: [line("", listed(card.opinions).map(stated))] },
    fromCard(card, "summary", words),
    ...Object.entries(ENCLOSED).map(([name, lines]) => ({ heading: words.headings[name], groups: [lines(card[name], words)] })),
    { heading: "Who wrote to you", groups: [writer(card, words)] },
    ...names.sort().map((name) => fromCard(card, name, words)),
  ];
  return sections
    .map((section) => ({ ...section, groups: section.groups.filter((group) => group.length > 0) }))
    .filter((section) => section.groups.length > 0);
}

/** Return the sections as elements of GOV.UK's summary list. Every word goes in as text. */
export function shown(sections, level = "h2") {
  const whole = document.createDocumentFragment();
  for (const section of sections) {
    whole.append(made(level, "govuk-heading-s", section.heading));
    for (const group of section.groups) {
      if (group.every(([label]) => label === "")) {
        for (const text of group.flatMap(([, texts]) => texts)) whole.append(made("p", "govuk-body", text));
        continue;
      }
      const list = made("dl", "govuk-summary-list");
      for (const [label, texts] of group) {
        const row = made("div", "govuk-summary-list__row");
        row.append(made("dt", "govuk-summary-list__key", label || section.heading));
        const value = made("dd", "govuk-summary-list__value");
        texts.forEach((text, place) => value.append(...(place ? [document.createElement("br")] : []), text));
        row.append(value);
        list.append(row);
      }
      whole.append(list);
    }
  }
  return whole;
}

/** Return an element with a class and a text. */
export function made(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Return an ISO date as people write it. */
export function day(text) {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? "");
  if (parts === null) return text ?? "Not stated";
  const [year, month, date] = parts.slice(1).map(Number);
  const real = new Date(Date.UTC(year, month - 1, date));
  return real.getUTCMonth() === month - 1 && real.getUTCDate() === date ? `${date} ${MONTHS[month - 1]} ${parts[1]}` : text;
}

function fromCard(card, name, words) {
  const groups = listed(card[name]).map((item) => linesOf(item, words));
  return { heading: words.headings[name] ?? sentence(name), groups };
}

function linesOf(item, words) {
  if (!isObject(item) || "words" in item || "value" in item) return line("", [item]);
  const order = Object.keys(words.labels);
  const rank = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.keys(item)
    .sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1))
    .filter((name) => !unremarkable(name, item[name]))
    .flatMap((name) => line(words.labels[name] ?? sentence(name), listed(item[name]), name));
}

function unremarkable(name, value) {
  return (name === "address_restricted" && value === false) || (name === "nhs_number_status" && value === "01");
}

function line(label, values, name = "") {
  const texts = values.flatMap((value) => phrase(value, name).split("\n").filter(Boolean));
  return texts.length ? [[label, texts]] : [];
}

function phrase(value, name = "") {
  if (isObject(value)) {
    if (name === "address") {
      return ADDRESS.flatMap((key) => listed(value[key]).map((part) => phrase(part))).join(", ");
    }
    const main = MAIN.filter((key) => key in value).map((key) => phrase(value[key]));
    const others = Object.entries(value)
      .filter(([key, item]) => !MAIN.includes(key) && item !== false && !String(item).startsWith("http"))
      .map(([key, item]) => (item === true ? sentence(key).toLowerCase() : phrase(item)));
    if (main.length === 0) return others.join(", ");
    return others.length ? `${main.join(", ")} (${others.join(", ")})` : main.join(", ");
  }
  if (Array.isArray(value)) return value.map((item) => phrase(item)).join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  const text = visible(value === null || value === undefined ? "" : String(value));
  if (name === "nhs_number" && text.length === 10) return `${text.slice(0, 3)} ${text.slice(3, 6)} ${text.slice(6)}`;
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? day(text) : text;
}

function writer(card, words) {
  const sender = card.sender ?? {};
  return [
    ...linesOf(card.notifier ?? {}, words),
    ...line("Organisation", listed(sender.name)),
    ...line("ODS code", listed(sender.ods)),
    ...line("Their number for this", listed(card.identifier)),
  ];
}

function stated(opinion) {
  const codes = listed(opinion.codes).filter((coding) => "code" in coding).map((coding) => phrase(coding.code)).join(", ");
  return [phrase(opinion.need), codes && `(${codes})`].filter(Boolean).join(" ");
}

function involvement(request, words) {
  if (!request || Object.keys(request).length === 0) return [];
  const rest = Object.fromEntries(Object.entries(request).filter(([name]) => name !== "codes"));
  return [["", [words.its_own_agreement]], ...linesOf(rest, words)];
}

function scores(values) {
  return listed(values).map((score) => {
    const facts = [`${score.month}-month questionnaire`, phrase(score.on)].filter(Boolean).join(", ");
    return [phrase(score.domain), [`${score.score} of 60 (${facts})`]];
  });
}

function observations(values) {
  return listed(values).map((seen) => {
    const told = [phrase(seen.value), ...listed(seen.notes).map((note) => phrase(note))].filter(Boolean).join(", ");
    return [phrase(seen.name) || "Observation", [[told || "Recorded", "on" in seen ? `(${phrase(seen.on)})` : ""].filter(Boolean).join(" ")]];
  });
}

function attachments(values) {
  return listed(values).map((item) => {
    const named = phrase(item.title) || phrase(item.kind) || "Attachment";
    const size = item.bytes === undefined || item.bytes === null ? null : `${Math.max(1, Math.round(item.bytes / 1024))} KB`;
    const facts = [item.kind, item.file_type, size, item.on, item.language].filter(Boolean).map((fact) => phrase(fact)).join(", ");
    return [`File ${item.number}`, [`${named} (${facts})`, phrase(item.description)].filter(Boolean)];
  });
}

function listed(value) {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sentence(name) {
  const words = visible(name).split("_").join(" ");
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function visible(text) {
  return text.replace(NOT_SHOWN, "");
}
