export const v = (a: bigint): bigint => a * 2n;
