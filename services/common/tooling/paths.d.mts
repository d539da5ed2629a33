/** Types of paths.mjs, which stays plain JavaScript because it runs before anything is installed. */
export declare const root: string
export declare const inRoot: (...parts: string[]) => string
export declare const nodePath: string
