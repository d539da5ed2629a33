import { Button } from '../design/controls.tsx'
import { Banner } from '../design/surfaces.tsx'
import { refusalWords } from '../format/refusals.ts'
import { useStore } from '../session/hooks.ts'
import type { Intent } from './intent.ts'

interface NoticeProps<Input, Answer> {
  readonly intent: Intent<Input, Answer>
  /** For tests: `notice-<name>`. */
  readonly name: string
  /** What is being done: "opening the trade". */
  readonly doing: string
}

/** Where something that was sent is, unless it went well: still without an answer, unknown, refused. Always in words. */
export const IntentNotice = <Input, Answer>({ intent, name, doing }: NoticeProps<Input, Answer>) => {
  const state = useStore(intent.state)
  const testId = `notice-${name}`
  switch (state.kind) {
    case 'idle':
    case 'done':
      return null
    case 'sending':
      return state.slow ? (
        <Banner tone="info" title="No answer yet" testId={testId}>
          Still {doing}. If the answer is lost it is asked for again under the same key, so it can't happen twice.
        </Banner>
      ) : null
    case 'asking-again':
      return (
        <Banner tone="warn" title="Asking again" testId={testId}>
          The answer was lost. The same request is being asked again under the same key: it happens once or not at all.
        </Banner>
      )
    case 'unknown':
      return (
        <Banner
          tone="danger"
          title="It is not known whether it was done"
          testId={testId}
          action={
            <div className="row">
              <Button small tone="primary" onClick={() => void intent.again()}>
                Ask again
              </Button>
              <Button small onClick={intent.dismiss}>
                Leave it
              </Button>
            </div>
          }
        >
          {state.refused.code === 'UNAUTHENTICATED' ? 'Your session has ended: sign in first, then ask again. ' : ''}
          No answer came for {doing}. Asking again is safe: it never happens twice. Or look at your open trades and
          balance first, which say what is true.
        </Banner>
      )
    case 'refused': {
      const { title, what, remedy } = refusalWords(state.refused.code, state.refused)
      return (
        <Banner tone="danger" title={title} testId={testId} onClose={intent.dismiss}>
          {what} {remedy}
        </Banner>
      )
    }
  }
}
