/** Name under which the views' cursors are kept, by whatever process folds them. */
export const PROJECTION = 'platform'
