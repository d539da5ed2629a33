import { playStory } from './story.ts'

process.stdout.write(JSON.stringify(await Promise.all(process.argv.slice(2).map((seed) => playStory(Number(seed))))))
