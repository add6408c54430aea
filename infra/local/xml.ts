/** Writes the small XML documents that STS and S3 answer with. */

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Control characters go out as references, as S3 writes them, although XML 1.0 has no place for most of them. */
const escapeText = (text: string) =>
  text.replace(
    /[&<>"]|\p{Cc}/gu,
    (character) => ENTITIES[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );

/** An element with text, or with children that are XML already; nothing for an undefined value. */
export function xml(
  name: string,
  content: string | number | boolean | readonly string[] | undefined,
): string {
  if (content === undefined) return '';
  const inner = Array.isArray(content) ? content.join('') : escapeText(String(content));
  return `<${name}>${inner}</${name}>`;
}

/** A whole document. */
export function xmlDocument(
  name: string,
  namespace: string | undefined,
  children: readonly string[],
): string {
  const attribute = namespace ? ` xmlns="${namespace}"` : '';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name}${attribute}>${children.join('')}</${name}>`;
}
