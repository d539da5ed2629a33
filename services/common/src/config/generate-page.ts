import { bankVariableName, bankVariables, foreignPrefixes, variables } from './variables.ts'
import type { BankVariable, Profile, Variable } from './variables.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|')

const kindWords = (variable: Variable): string => {
  if (variable.kind === 'whole') return `whole number, ${variable.minimum} to ${variable.maximum}`
  if (variable.kind === 'power-of-two') return `power of two, ${variable.minimum} to ${variable.maximum}`
  if (variable.kind === 'choice') return (variable.choices ?? []).join(', ')
  if (variable.kind === 'server')
    return `secret URL, ${(variable.protocols ?? []).map((protocol) => `\`${protocol}://\``).join(' or ')}`
  if (variable.kind === 'name') return 'small letters, digits, hyphens'
  if (variable.kind === 'ratio') return 'number from 0 to 1'
  if (variable.kind === 'boolean') return 'true or false'
  if (variable.kind === 'secret')
    return `secret, ${variable.lengthMin?.production ?? 1} characters or more in production`
  return variable.kind === 'list' ? 'list' : variable.kind
}

const shown = (value: string | null): string => (value === null ? '–' : `\`${value}\``)

const neededBy = ({ required = {} }: Variable, profile: Profile): string =>
  (required[profile] ?? []).length === 0 ? '' : `required by ${(required[profile] ?? []).join(', ')}`

const defaultWords = (variable: Variable): string => {
  const wordsOf = (profile: Profile): string => neededBy(variable, profile) || shown(variable.defaults[profile])
  const development = wordsOf('development')
  const production = wordsOf('production')
  return development === production ? development : `${development} · production: ${production}`
}

const row = ([name, variable]: [string, Variable]): string =>
  `| \`${name}\` | ${cell(kindWords(variable))} | ${defaultWords(variable)} | ${cell(variable.description)} |`

const bankRow = (variable: BankVariable): string =>
  `| \`${bankVariableName('<name>', variable)}\` | secret, ${bankVariables[variable].lengthMin} characters or more | ` +
  `– · production: required by platform, ${bankVariables[variable].requiredBy} | ` +
  `${cell(bankVariables[variable].description)} |`

/** The page `docs/configuration.md`, whole, from the table of variables. */
export const generate = (): string => `# Configuration

<!-- Made from services/common/src/config/variables.ts by npm run generate. -->

Everything is set by environment variables, read once at the start. All mistakes are reported together and nothing starts: a text
that is not what the table says, a variable missing that the program requires, and a \`BOURSE_*\` variable that is not in this
table (except ${foreignPrefixes.map((prefix) => `\`${prefix}*\``).join(' and ')}). An empty variable counts as not set.

A secret and the URL of a backing service may come from a file instead: \`<NAME>_FILE\` names it. They are never
printed or logged.

One table serves every program: \`platform\` is \`npm start\`, \`launcher\` is \`npm run start:distributed\`, the others are
the separate processes. Each requires only what it needs.

| variable | value | default | what it does |
|---|---|---|---|
${(Object.entries(variables) as [string, Variable][]).map(row).join('\n')}
${(Object.keys(bankVariables) as BankVariable[]).map(bankRow).join('\n')}

\`<NAME>\` of a bank is its manifest's \`metadata.name\` in capitals with \`_\` for \`-\`: the bank
\`demo\` has \`${bankVariableName('demo', 'API_KEY')}\`.
`
