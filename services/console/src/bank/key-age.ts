/** What is known of the API key that the desk was opened with. */
export interface KeyFacts {
  readonly createdAt: string | null
  readonly expiresAt: string | null
  readonly ageDays: number | null
  readonly rotateAfterDays: number
}

/** How the key's age is to be taken. */
export interface KeyAge {
  readonly tone: 'good' | 'warn' | 'danger' | 'info'
  readonly title: string
  readonly what: string
}

/** This many days before a rotation is due the desk speaks of it. */
export const ROTATION_WARNING_DAYS = 14

const DAY_MS = 86_400_000

const days = (count: number): string => `${count} ${count === 1 ? 'day' : 'days'}`

/** What to say of a key's age: nothing grave, a rotation that comes, one that is overdue, or an end that is set. */
export const keyAgeOf = ({ expiresAt, ageDays, rotateAfterDays }: KeyFacts, nowMs: number): KeyAge => {
  if (expiresAt !== null) {
    const left = Math.max(0, Math.ceil((Date.parse(expiresAt) - nowMs) / DAY_MS))
    return {
      tone: left <= 1 ? 'danger' : 'warn',
      title: left === 0 ? 'This key ends today' : `This key ends within ${days(left)}`,
      what: 'Another key has taken its place. Open the desk with the new one, and put it into your systems.',
    }
  }
  if (ageDays === null)
    return { tone: 'info', title: 'Age unknown', what: 'The platform has no record of when this key was made.' }
  const left = rotateAfterDays - ageDays
  if (left < 0)
    return {
      tone: 'danger',
      title: `Rotation overdue by ${days(-left)}`,
      what: `The key is ${days(ageDays)} old and was to be replaced after ${rotateAfterDays}. Ask the platform for a new one.`,
    }
  const due = left === 0 ? 'Rotation is due today' : `Rotation is due in ${days(left)}`
  if (left <= ROTATION_WARNING_DAYS)
    return {
      tone: 'warn',
      title: due,
      what: 'The new key and this one both work for a while: put the new one into your systems in that time.',
    }
  return { tone: 'good', title: `${days(ageDays)} old`, what: `${due}.` }
}
