/** The local ServiceNow's page for people: every ticket with its notes. */
import { LABELS, notesOf, type Tables } from './servicenow-table.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string | undefined): string =>
  (text ?? '').replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

export function renderPage(tables: Tables): string {
  const groups = new Map(tables.sys_user_group.map((group) => [group.sys_id, group.name]));
  const tickets = tables.incident.toReversed().map((incident) => {
    const notes = notesOf(tables, incident)
      .map(
        (note) =>
          `<li><time>${escapeHtml(note.sys_created_on)}</time><pre>${escapeHtml(note.value)}</pre></li>`,
      )
      .join('');
    const closed = incident.close_code
      ? `<p><b>${escapeHtml(incident.close_code)}</b></p><pre>${escapeHtml(incident.close_notes)}</pre>`
      : '';
    return `<article id="${escapeHtml(incident.number)}">
<h2>${escapeHtml(incident.number)} <small>${escapeHtml(LABELS.state?.[incident.state ?? ''] ?? incident.state)}</small></h2>
<p>${escapeHtml(incident.short_description)}</p>
<p>${escapeHtml(groups.get(incident.assignment_group ?? ''))} · ${escapeHtml(LABELS.priority?.[incident.priority ?? ''])} · ${escapeHtml(incident.correlation_id)}</p>
<details><summary>Description</summary><pre>${escapeHtml(incident.description)}</pre></details>
<ol>${notes}</ol>${closed}
</article>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Local ServiceNow</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
article { border-top: 1px solid #ccc; padding: .5rem 0 } small { color: #666 } pre { white-space: pre-wrap; margin: 0 }
</style></head><body><h1>Incidents</h1>
${tickets.join('\n') || '<p>There are no tickets yet.</p>'}
</body></html>
`;
}
