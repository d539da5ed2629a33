import type { Sample } from '../row.ts'

/** What a child tells before it ends. */
export type ChildMessage =
  | { readonly type: 'measured'; readonly samples: Readonly<Record<string, Sample>> }
  | { readonly type: 'unavailable'; readonly reason: string }
  | { readonly type: 'failed'; readonly message: string }

/** Whether a message is one of a child's: something else on the channel would be a bug of a group. */
export const isChildMessage = (message: unknown): message is ChildMessage =>
  typeof message === 'object' &&
  message !== null &&
  'type' in message &&
  ['measured', 'unavailable', 'failed'].includes(String(message.type))
