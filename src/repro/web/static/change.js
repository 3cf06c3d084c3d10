// What people say of runs, sent.
import { post, say } from "./fragment.js";

/** Send a change of some runs; says what could not be done, and gives the runs of which it was. */
export async function change(path, wish) {
  let said;
  try {
    said = await post(path, wish);
  } catch (error) {
    say(error.message);
    return [];
  }
  if (said.problems.length) {
    const [first] = said.problems;
    const more = said.problems.length > 1 ? ` And ${said.problems.length - 1} more.` : "";
    say(`${first.message}${first.hint ? ` (${first.hint})` : ""}${more}`, 12000);
  }
  return said.done;
}
