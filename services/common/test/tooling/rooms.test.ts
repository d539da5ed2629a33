import { describe, expect, test } from '@jest/globals'
import { checkRooms } from '../../tooling/rooms.ts'

const file = (path: string, ...imports: readonly string[]) => ({
  path,
  text: imports.map((specifier, index) => `import { x${index} } from '${specifier}'\n`).join(''),
})

const messages = (...files: Parameters<typeof checkRooms>[0]): string[] =>
  checkRooms(files).map(({ path, line, message }) => `${path}:${line} ${message}`)

describe('import direction between rooms', () => {
  test('allows arrows that point inward and leaves packages, tests and tools alone', () => {
    expect(
      messages(
        file(
          'services/common/src/kernel/runner.ts',
          '../ports/journal.ts',
          './record.ts',
          '../money/amount.ts',
          'node:crypto',
        ),
        file('services/common/src/ports/journal.ts', '../kernel/partition.ts'),
        file('services/common/src/adapters/embedded/journal.ts', '../../ports/journal.ts', 'node:sqlite'),
        file(
          'services/gateway/src/http/trades.ts',
          '@bourse/trading/client/types.ts',
          '@bourse/common/config/parse.ts',
          'koa',
        ),
        file('services/all-in-one/src/main.ts', '@bourse/trading/service.ts', '@bourse/risk-rules/host/load.ts'),
        file('services/ledger/test/any.test.ts', '@bourse/common/testkit/clock.ts', '../../gateway/src/x.ts'),
      ),
    ).toEqual([])
  })

  test('refuses a library room that reaches outward, naming file, line and what it may import', () => {
    const [first, ...others] = messages(file('services/common/src/money/amount.ts', 'node:util', '../kernel/runner.ts'))
    expect(first).toMatch(/^services\/common\/src\/money\/amount\.ts:2 room money may not import room kernel/)
    expect(others).toEqual([])
  })

  test('refuses an adapter that knows the kernel and a kernel that knows an adapter', () => {
    expect(messages(file('services/common/src/adapters/embedded/bus.ts', '../../kernel/runner.ts'))).toHaveLength(1)
    expect(messages(file('services/common/src/kernel/runner.ts', '../adapters/embedded/bus.ts'))).toHaveLength(1)
  })

  test('refuses a service that passes another service by its client and codec rooms', () => {
    const path = 'services/gateway/src/http/trades.ts'
    const found = messages(file(path, '@bourse/trading/machine/book.ts', '@bourse/ledger/service.ts'))
    expect(found).toEqual([
      expect.stringContaining('room gateway may not import room trading:machine'),
      expect.stringContaining('room gateway may not import room ledger'),
    ])
  })

  test('refuses a machine that imports ports, adapters or its own service', () => {
    const machine = 'services/bridge/src/machine/machine.ts'
    const allowed = ['../codec/commands.ts', '@bourse/common/kernel/machine.ts', '@bourse/common/money/amount.ts']
    expect(messages(file(machine, ...allowed))).toEqual([])
    expect(
      messages(file(machine, '@bourse/common/ports/clock.ts', '../service.ts', '../client/client.ts')),
    ).toHaveLength(3)
  })

  test('refuses risk rules that know services, and anything but tests that knows their reference', () => {
    expect(messages(file('risk-rules/src/ledger/machine.ts', '@bourse/ledger/client/types.ts'))).toHaveLength(1)
    expect(
      messages(file('services/trading/src/service.ts', '@bourse/risk-rules/reference/trading/machine.ts')),
    ).toHaveLength(1)
    expect(messages(file('risk-rules/test/trading.test.ts', '../reference/trading/machine.ts'))).toEqual([])
    expect(messages(file('risk-rules/assembly/trading/index.ts', '../../src/ledger/codec.ts'))).toHaveLength(1)
  })

  test('refuses a relative path into another workspace and a file that stands in no room', () => {
    expect(messages(file('services/trading/src/service.ts', '../../ledger/src/client/types.ts'))).toEqual([
      expect.stringContaining('leaves the workspace'),
    ])
    expect(messages(file('services/common/src/helpers/list.ts'))).toEqual([
      expect.stringContaining('stands in no room'),
    ])
  })

  test('refuses product code that imports test support', () => {
    expect(messages(file('services/ledger/src/service.ts', '@bourse/common/testkit/clock.ts'))).toHaveLength(1)
  })

  test('sees type-only, re-exporting and dynamic imports', () => {
    const path = 'services/common/src/money/amount.ts'
    for (const text of [
      "import type { Journal } from '../ports/journal.ts'",
      "export { x } from '../ports/journal.ts'",
      "const m = await import('../ports/journal.ts')",
    ]) {
      expect(messages({ path, text })).toHaveLength(1)
    }
  })

  test('finds a circle between rooms that are each allowed to import the other', () => {
    const found = messages(
      file('services/trading/src/client/client.ts', '@bourse/ledger/client/types.ts'),
      file('services/ledger/src/client/types.ts', '@bourse/bridge/client/types.ts'),
      file('services/bridge/src/client/types.ts', '@bourse/trading/client/client.ts'),
    )
    expect(found).toEqual([expect.stringContaining('trading:client → ledger:client → bridge:client → trading:client')])
  })
})
