import { STOP, type Answer, type Question } from './workers.ts'

const messageOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** The settings that the parent gave this process. */
export const settingsOf = <Settings>(): Settings => JSON.parse(process.argv[2] ?? '{}') as Settings

/** Tells the parent that this process is there, and answers its questions until it asks for the end or is gone itself. */
export const serveParent = (
  answers: Readonly<Record<string, (argument: unknown) => unknown>>,
  stop: () => Promise<void>,
): void => {
  const tell = (answer: Answer): void => void process.send?.(answer)
  const answer = async ({ number, question, argument }: Question): Promise<void> => {
    try {
      const known = question === STOP ? stop : answers[question]
      if (known === undefined) throw new Error(`there is no question ${question}`)
      tell({ number, value: await known(argument) })
    } catch (error) {
      tell({ number, error: messageOf(error) })
    }
  }
  process.on('message', (question: Question) => void answer(question))
  // In order or because the parent died: either way nobody asks any more.
  process.on('disconnect', () => process.exit())
  tell({ number: 0 })
}
