import { freePort } from '@bourse/common/testkit/servers/free-port.ts'

/** The first of `count` ports in a row, each as `freePort` gives them. */
export const freePorts = async (count: number): Promise<number> => {
  for (;;) {
    const first = await freePort()
    let last = first
    while (last - first < count - 1 && (await freePort()) === last + 1) last += 1
    if (last - first === count - 1) return first
  }
}
