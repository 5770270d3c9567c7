import * as pty from '@lydell/node-pty';
import unicode11 from '@xterm/addon-unicode11';
import headless from '@xterm/headless';

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  /** All of it, but for TERM. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** One cell of the screen. Colours are numbers of the palette of 256; null: the terminal's own. */
export interface ScreenCell {
  /** Empty for the second column of a wide character. */
  readonly text: string;
  readonly width: number;
  readonly foreground: number | null;
  readonly background: number | null;
  readonly isBold: boolean;
  readonly isUnderlined: boolean;
  readonly isInverse: boolean;
}

export interface Exit {
  readonly exitCode: number;
  /** Everything the program ever wrote. */
  readonly output: string;
}

/** How long anything may take to appear, in milliseconds, before the test is told what is there instead. */
const PATIENCE_MS = 15_000;

/** A program in a real pseudo-terminal, its screen kept by xterm.js. */
export class TestTerminal {
  readonly exited: Promise<Exit>;
  readonly #process: pty.IPty;
  readonly #screen: headless.Terminal;
  readonly #waiting = new Set<() => void>();
  #output = '';
  #isGone = false;

  constructor(file: string, args: readonly string[], { columns, rows, env = {}, cwd }: TerminalOptions) {
    this.#screen = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1_000 });
    this.#screen.loadAddon(new unicode11.Unicode11Addon());
    this.#screen.unicode.activeVersion = '11';
    this.#process = pty.spawn(file, [...args], {
      name: 'xterm-256color',
      cols: columns,
      rows,
      ...(cwd === undefined ? {} : { cwd }),
      env: { TERM: 'xterm-256color', ...env },
    });
    this.#process.onData((data) => this.#onData(data));
    // What the terminal answers when it is asked.
    this.#screen.onData((data) => {
      if (!this.#isGone) this.#process.write(data);
    });
    this.exited = new Promise((resolve) => {
      this.#process.onExit(({ exitCode }) => {
        this.#isGone = true;
        this.#screen.write('', () => {
          this.#check();
          resolve({ exitCode, output: this.#output });
        });
      });
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Everything written so far, escape sequences and all. */
  get output(): string {
    return this.#output;
  }

  get columns(): number {
    return this.#screen.cols;
  }

  get rows(): number {
    return this.#screen.rows;
  }

  /** Where the cursor stands, counted from 0. */
  get cursor(): { readonly column: number; readonly row: number } {
    const { cursorX, cursorY } = this.#screen.buffer.active;
    return { column: cursorX, row: cursorY };
  }

  get isAlternate(): boolean {
    return this.#screen.buffer.active.type === 'alternate';
  }

  get isBracketedPaste(): boolean {
    return this.#screen.modes.bracketedPasteMode;
  }

  /** Types. */
  type(text: string): void {
    this.#process.write(text);
  }

  /** Pastes as a terminal does that was asked to bracket pastes. */
  paste(text: string): void {
    this.#process.write(`\x1b[200~${text.replaceAll('\n', '\r')}\x1b[201~`);
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    this.#process.resize(columns, rows);
  }

  /** One line of the screen, blanks at its end left out. */
  line(row: number): string {
    const { active } = this.#screen.buffer;
    return active.getLine(active.baseY + row)?.translateToString(true) ?? '';
  }

  /** The whole screen. */
  text(): string {
    return Array.from({ length: this.rows }, (_, row) => this.line(row)).join('\n');
  }

  /** The text of these columns in every line. */
  column(from: number, to: number): readonly string[] {
    return Array.from({ length: this.rows }, (_, row) =>
      Array.from({ length: to - from }, (_unused, offset) => this.cell(from + offset, row).text).join(''),
    );
  }

  cell(column: number, row: number): ScreenCell {
    const { active } = this.#screen.buffer;
    const cell = active.getLine(active.baseY + row)?.getCell(column);
    return {
      text: cell?.getChars() ?? '',
      width: cell?.getWidth() ?? 1,
      foreground: cell?.isFgPalette() ? cell.getFgColor() : null,
      background: cell?.isBgPalette() ? cell.getBgColor() : null,
      isBold: Boolean(cell?.isBold()),
      isUnderlined: Boolean(cell?.isUnderline()),
      isInverse: Boolean(cell?.isInverse()),
    };
  }

  /** Resolves when the screen shows `wanted`, checked whenever something was painted. */
  until(wanted: string | RegExp | ((terminal: TestTerminal) => boolean)): Promise<void> {
    const isThere = (): boolean => {
      if (typeof wanted === 'function') return wanted(this);
      return typeof wanted === 'string' ? this.text().includes(wanted) : wanted.test(this.text());
    };
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(patience);
        this.#waiting.delete(check);
        if (error === undefined) resolve();
        else reject(error);
      };
      const missing = (why: string): Error => new Error(`${String(wanted)} did not appear (${why}):\n${this.text()}`);
      const check = (): void => {
        if (isThere()) settle();
        else if (this.#isGone) settle(missing('the program ended'));
      };
      const patience = setTimeout(() => settle(missing('time is up')), PATIENCE_MS);
      this.#waiting.add(check);
      check();
    });
  }

  /** Ends the program, if it still runs. */
  close(signal = 'SIGKILL'): void {
    if (!this.#isGone) this.#process.kill(signal);
  }

  /** Takes the terminal away, as closing its window does. */
  hangUp(): void {
    (this.#process as pty.IPty & { destroy(): void }).destroy();
  }

  #onData(data: string): void {
    this.#output += data;
    this.#screen.write(data, () => this.#check());
  }

  #check(): void {
    for (const check of [...this.#waiting]) check();
  }
}
