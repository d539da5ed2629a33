/**
 * Makes the golden journals of a release: `node services/common/test/golden/make.ts 0.1.0`. Run it once per release and keep the
 * result; journals of earlier releases are never made again.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeExpected, writeJournal } from './journals.ts'
import { tellStory } from './story.ts'

const [release] = process.argv.slice(2)
if (release === undefined || !/^\d+\.\d+\.\d+$/.test(release)) throw new Error('name the release: make.ts 0.1.0')
const folder = join(import.meta.dirname, release)
if (existsSync(folder)) throw new Error(`${folder} is there already: journals of a release are kept as they are`)
mkdirSync(folder)
const world = tellStory()
for (const [partition, records] of world.journals) writeJournal(release, partition, records)
writeExpected(release, world.expected())
process.stdout.write(`${JSON.stringify(world.expected(), null, 2)}\n`)
