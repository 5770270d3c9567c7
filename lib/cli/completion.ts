import { BcastError } from '../errors.ts';
import type { Flag, NamedVerb, Verb } from './verb.ts';

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript };
type Shell = keyof typeof SHELLS;

/** `bcast completion`: a script made from the same data as help, so it knows what this version knows. */
export const completion: Verb = {
  args: [{ name: 'SHELL', help: `one of ${Object.keys(SHELLS).join(', ')}`, choices: Object.keys(SHELLS) }],
  flags: [],
  examples: [
    ['source <(bcast completion bash)', 'in ~/.bashrc'],
    ['source <(bcast completion zsh)', 'in ~/.zshrc, after compinit'],
    ['bcast completion fish | source', 'in config.fish'],
  ],
  async run({ args }, program) {
    const [shell, ...more] = args;
    if (more.length > 0 || shell === undefined || !(shell in SHELLS)) {
      throw new BcastError('USAGE', { text: `Name one shell: ${Object.keys(SHELLS).join(', ')}.` });
    }
    process.stdout.write(completionScript(shell as Shell, await program.loadVerbs()));
    return 0;
  },
};

/** The completion script of one shell for these verbs. */
export function completionScript(shell: Shell, verbs: readonly NamedVerb[]): string {
  return SHELLS[shell](verbs);
}

function spellings({ name, short }: Flag): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

/** The only words that may follow the verb. */
function choicesOf({ args }: Verb): readonly string[] {
  return args[0]?.choices ?? [];
}

function bashScript(verbs: readonly NamedVerb[]): string {
  const names = verbs.map(({ name }) => name).join(' ');
  const values = verbs.flatMap(({ name, verb: { flags } }) =>
    flags
      .filter(({ placeholder }) => placeholder !== undefined)
      .map((flag) => {
        const pattern = spellings(flag)
          .map((spelling) => `${name}:${spelling}`)
          .join('|');
        return `    ${pattern}) words='${flag.choices?.join(' ') ?? ''}' ;;`;
      }),
  );
  const firsts = verbs
    .filter(({ verb }) => choicesOf(verb).length > 0)
    .map(({ name, verb }) => `    ${name}:${name}) words='${choicesOf(verb).join(' ')}' ;;`);
  const flags = verbs.map(
    ({ name, verb: { flags: all } }) => `    ${name}:*) words='${[...all.flatMap(spellings), '--help'].join(' ')}' ;;`,
  );
  return `# bash completion for bcast
_bcast() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb= words= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in ${names.replaceAll(' ', '|')}) verb=$word; break ;; esac
  done
  case $verb:$prev in
${[...values, ...firsts].join('\n')}
${flags.join('\n')}
    :*) words='${names} help --help --version' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _bcast bcast
`;
}

function zshScript(verbs: readonly NamedVerb[]): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const spec = (flag: Flag) => {
    const { help, placeholder, choices, isRepeatable } = flag;
    const action = choices === undefined ? ' ' : `(${choices.join(' ')})`;
    const value = placeholder === undefined ? '' : `:${placeholder.replaceAll(':', '\\:')}:${action}`;
    const text = help.replace(/[[\]\\:]/g, '\\$&');
    return spellings(flag).map((spelling) => quote(`${isRepeatable === true ? '*' : ''}${spelling}[${text}]${value}`));
  };
  const cases = verbs.map(({ name, verb }) => {
    const first = verb.args[0]?.name.toLowerCase();
    const words = choicesOf(verb);
    const rest = words.length > 0 ? `'1:${first}:(${words.join(' ')})' '*:: :_default'` : "'*:: :_default'";
    return `    ${name}) _arguments ${[...verb.flags.flatMap(spec), rest].join(' ')} ;;`;
  });
  return `#compdef bcast
_bcast() {
  local -a verbs=(
${verbs.map(({ name, summary }) => `    ${quote(`${name}:${summary.replaceAll(':', '\\:')}`)}`).join('\n')}
    'help:Explain one of them.'
  )
  if (( CURRENT == 2 )); then
    _describe verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _bcast ]]; then _bcast "$@"; else compdef _bcast bcast; fi
`;
}

function fishScript(verbs: readonly NamedVerb[]): string {
  const quote = (text: string) => `'${text.replace(/['\\]/g, '\\$&')}'`;
  const lines = ['# fish completion for bcast', 'complete -c bcast -f'];
  for (const { name, summary, verb } of verbs) {
    lines.push(`complete -c bcast -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`);
    for (const { name: flag, short, placeholder, help, choices } of verb.flags) {
      const words = [`complete -c bcast -n '__fish_seen_subcommand_from ${name}' -l ${flag}`];
      if (short !== undefined) words.push(`-s ${short}`);
      if (placeholder !== undefined) words.push('-r');
      if (choices !== undefined) words.push(`-a ${quote(choices.join(' '))}`);
      lines.push(`${words.join(' ')} -d ${quote(help)}`);
    }
    const firsts = choicesOf(verb).join(' ');
    if (firsts !== '') lines.push(`complete -c bcast -n '__fish_seen_subcommand_from ${name}' -a '${firsts}'`);
  }
  return `${lines.join('\n')}\n`;
}
