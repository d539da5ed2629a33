import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { playStory } from './story.ts'

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]

describe('a story of servers, clients, crashes and every fault', () => {
  test('the same seed gives the same trace, in this process and in another; no two seeds the same', async () => {
    const here: string[] = []
    for (const seed of SEEDS) here.push(await playStory(seed))
    const again = await Promise.all(SEEDS.map(playStory))
    expect(again).toEqual(here)
    const child = fileURLToPath(new URL('story-child.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', child, ...SEEDS.map(String)])
    expect(JSON.parse(stdout)).toEqual(here)
    expect(new Set(here).size).toBe(SEEDS.length)
    for (const trace of here) expect(Number(trace.split(' ')[1])).toBeGreaterThan(200)
  })
})
