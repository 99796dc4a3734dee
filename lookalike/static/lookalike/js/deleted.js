// What the site deleted is not kept in this tab either.

import { forgetPhoto } from "./keep.js";

forgetPhoto();
