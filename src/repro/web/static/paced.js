// Work that is asked for often, done once in a while.

/** Give a function that has `work` done soon, and not before `ms` after the last time. */
export function paced(work, ms = 1000) {
  let last = 0;
  let waiting = null;
  return () => {
    waiting ??= setTimeout(() => {
      waiting = null;
      last = Date.now();
      work();
    }, Math.max(0, ms - (Date.now() - last)));
  };
}
