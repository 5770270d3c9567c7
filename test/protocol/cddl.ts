import { EVENTS, type MessageShape, REQUESTS } from '../../lib/protocol/messages.ts';
import type { Rule, Shape } from '../../lib/protocol/schema.ts';

const MAX_LINE = 118;

/** All messages as CDDL (RFC 8610), made from the schemas that the program encodes and decodes by. */
export function renderCddl(): string {
  const halves = [
    { name: 'request', what: 'client to server', table: REQUESTS },
    { name: 'event', what: 'server to client', table: EVENTS },
  ] as const;
  const blocks = halves.map(({ name, what, table }) => {
    const types = Object.entries(table) as [string, MessageShape<Shape>][];
    const choice = wrap(
      `${name} = `,
      types.map(([type]) => `${type}-${name}`),
      ' / ',
      '',
    );
    return [`; ${what}`, choice, '', ...types.map(([type, shape]) => renderMessage(`${type}-${name}`, shape))].join(
      '\n',
    );
  });
  return [...blocks, renderRules()].join('\n\n');
}

function renderMessage(name: string, { tag, fields }: MessageShape<Shape>): string {
  const items = [`type: ${tag}`, ...Object.entries(fields).map(([key, { cddl }]) => `${key}: ${cddl}`)];
  return wrap(`${name} = [`, items, ', ', ']');
}

function renderRules(): string {
  const shapes = [...Object.values(REQUESTS), ...Object.values(EVENTS)] as MessageShape<Shape>[];
  const rules = new Map<string, Rule>();
  for (const { fields } of shapes) {
    for (const rule of Object.values(fields).flatMap((field) => field.rules)) {
      const known = rules.get(rule.name);
      if (known !== undefined && known.is !== rule.is) throw new Error(`two rules are called ${rule.name}`);
      rules.set(rule.name, rule);
    }
  }
  const lines = [...rules.values()].map(({ name, is }) =>
    is.startsWith('[') ? wrap(`${name} = [`, is.slice(1, -1).split(', '), ', ', ']') : `${name} = ${is}`,
  );
  return ['; what they are made of', ...lines].join('\n');
}

/** On one line if it fits, else broken between the items. */
function wrap(front: string, items: readonly string[], separator: string, back: string): string {
  const lines: string[] = [];
  let line = front;
  items.forEach((item, i) => {
    const isLast = i === items.length - 1;
    const piece = `${item}${isLast ? back : separator}`;
    if (line.length + piece.trimEnd().length > MAX_LINE) {
      lines.push(line.trimEnd());
      line = '  ';
    }
    line += piece;
  });
  return [...lines, line].join('\n');
}
