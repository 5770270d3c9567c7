import { COMMANDS, usageOf } from '../../protocol/commands.ts';
import { BINDINGS, keyLabel } from './keymap.ts';
import { fitRow } from './rows.ts';
import { ACCENT_STRONG, DIM, type Row, STRONG, span, TEXT } from './style.ts';
import { wrapRow } from './wrap.ts';

interface Item {
  readonly head: string;
  readonly help: string;
}

/** All commands and keys, grouped; `scroll` rows are above the top of the page. */
export function helpPage(scroll: number, width: number, height: number): Row[] {
  const rows = helpRows(width);
  const from = clampHelp(scroll, width, height);
  const shown = rows.slice(from, from + height).map((row) => fitRow(row, width));
  while (shown.length < height) shown.push(fitRow([], width));
  return shown;
}

/** The nearest scroll that still shows a full page. */
export function clampHelp(scroll: number, width: number, height: number): number {
  return Math.max(0, Math.min(scroll, helpRows(width).length - height));
}

let memo: { readonly width: number; readonly rows: readonly Row[] } | null = null;

function helpRows(width: number): readonly Row[] {
  if (memo?.width !== width) memo = { width, rows: layOut(width) };
  return memo.rows;
}

function layOut(width: number): Row[] {
  const commands = grouped(COMMANDS, (command) => ({
    head: usageOf(command),
    help:
      command.aliases.length === 0
        ? command.help
        : `${command.help} Also ${command.aliases.map((name) => `/${name}`).join(' ')}.`,
  }));
  const keys = grouped(
    BINDINGS.filter(({ help }) => help !== undefined),
    ({ keys, help = '', action }) => ({
      head: action === 'goTo' ? 'Alt-1 to Alt-0' : keys.map(keyLabel).slice(0, 2).join(', '),
      help,
    }),
  );
  const intro: Row[] = [
    [],
    [span(' Help', ACCENT_STRONG), span('   PgUp and PgDn to move, Esc to close', DIM)],
    [],
    ...wrapRow(
      [
        span(
          'What you write goes to the room on screen. A line that starts with / is a command; //text says "/text".',
          TEXT,
        ),
      ],
      width - 3,
    ).map((row): Row => [span('  ', TEXT), ...row]),
  ];
  return [...intro, ...groups(commands, width), [], [span(' Keys', ACCENT_STRONG)], ...groups(keys, width)];
}

function groups(all: ReadonlyMap<string, readonly Item[]>, width: number): Row[] {
  return [...all].flatMap(([title, items]): Row[] => [
    [],
    [span(` ${title}`, STRONG)],
    ...items.flatMap((item) => itemRows(item, width)),
  ]);
}

/** In two columns where there is room, else one below the other. */
function itemRows({ head, help }: Item, width: number): Row[] {
  const column = width >= 76 ? 34 : width >= 56 ? 26 : 0;
  const texts = wrapRow([span(help, DIM)], Math.max(10, width - Math.max(column, 4) - 2));
  if (column === 0 || head.length > column - 4) {
    const indent = span(' '.repeat(Math.max(column, 4)), TEXT);
    return [
      ...wrapRow([span(head, TEXT)], width - 4).map((row): Row => [span('  ', TEXT), ...row]),
      ...texts.map((row): Row => [indent, ...row]),
    ];
  }
  return texts.map((row, index): Row => [span((index === 0 ? `  ${head}` : '').padEnd(column), TEXT), ...row]);
}

function grouped<T extends { readonly group: string }>(
  all: readonly T[],
  itemOf: (one: T) => Item,
): Map<string, Item[]> {
  const found = new Map<string, Item[]>();
  for (const one of all) found.set(one.group, [...(found.get(one.group) ?? []), itemOf(one)]);
  return found;
}
