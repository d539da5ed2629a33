import { expect } from '@jest/globals'
import { stringify } from 'yaml'
import { brokenManifests, forbiddenChanges } from '../../resources/broken-manifests.ts'
import { NAMESPACE } from '../support/cluster.ts'
import { showing, type OpenStage } from '../support/stage.ts'

/** Manifests that break a rule, each said to the API server as a user would. */
export const declareBroken = (stage: OpenStage): void =>
  showing('broken manifests are refused, each with a message that helps', async () => {
    const { cluster } = stage.now
    const wrong: string[] = []
    const stored = new Set<string>()
    const expectRefusal = async (name: string, message: string, args: readonly string[], input?: string) => {
      const { code, stderr } = await cluster.tryKubectl(args, input)
      if (code === 0) wrong.push(`${name}: taken`)
      else if (!stderr.includes(message)) wrong.push(`${name}: "${message}" is not in "${stderr.trim()}"`)
    }
    const create = ['create', '--dry-run=server', '--validate=strict', '-f', '-']
    for (const { name, document, serverMessage } of brokenManifests)
      await expectRefusal(name, serverMessage, create, stringify({ metadata: { namespace: NAMESPACE }, ...document }))
    for (const { name, document, patch, message } of forbiddenChanges) {
      const pair = (document['metadata'] as { readonly name: string }).name
      // Paused: it is there to be changed, nobody trades on it.
      await cluster.apply({ ...document, metadata: { name: pair, annotations: { 'bourse.dev/paused': 'true' } } })
      stored.add(pair)
      await expectRefusal(name, message, ['patch', 'tp', pair, '--type=merge', '-p', JSON.stringify(patch)])
    }
    for (const pair of stored) await cluster.kubectl('delete', 'tp', pair, '--timeout=5m')
    expect(wrong).toEqual([])
    return `${brokenManifests.length} manifests and ${forbiddenChanges.length} changes refused`
  })
