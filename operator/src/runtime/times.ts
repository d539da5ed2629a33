/** Kubernetes `Time`: RFC 3339 in whole seconds, as the API server writes it back. */
export const secondTimeOf = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`

/** Kubernetes `MicroTime`: exactly six digits of a second; the API server refuses any other number of them. */
export const microTimeOf = (atMs: number): string => new Date(atMs).toISOString().replace('Z', '000Z')
