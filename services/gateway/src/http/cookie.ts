/** The value of a cookie in a `cookie` header; undefined when there is none of that name. */
export const cookieOf = (header: string | undefined, name: string): string | undefined => {
  if (header === undefined) return undefined
  const prefix = `${name}=`
  // Most often the only one.
  if (header.startsWith(prefix) && !header.includes(';')) return header.slice(prefix.length)
  return header
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(prefix))
    ?.slice(prefix.length)
}
