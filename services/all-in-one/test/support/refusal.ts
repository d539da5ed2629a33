import { expect } from '@jest/globals'
import type { Answer } from './calls.ts'
import type { RefusalBody } from './clients.ts'
import { moneyOf, type World } from './world.ts'

/** Expects a refusal, `'422 MARGIN_TOO_SMALL'`, whose message says what `message` asks for and nothing of the inside. */
export const expectRefusal = (answer: Answer, refusal: string, message: RegExp): void => {
  const body = answer.body as RefusalBody
  expect([`${answer.status} ${body.errorCode}`, body.success, body.message]).toEqual([
    refusal,
    false,
    expect.stringMatching(message),
  ])
  expect(body.message.length).toBeLessThan(400)
  expect(answer.text).not.toMatch(/node_modules|\.ts:|SQLITE|at Object/)
}

/** The answer of `act`, which must leave all money and trades as they were. */
export const withoutTrace = async (world: World, act: () => Promise<Answer>): Promise<Answer> => {
  const before = await moneyOf(world)
  const answer = await act()
  expect(await moneyOf(world)).toEqual(before)
  return answer
}
