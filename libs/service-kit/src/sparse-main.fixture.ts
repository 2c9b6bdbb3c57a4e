import { runService } from "./run-service.js";
import { sparseFixture } from "./sparse.fixture.js";

await runService(sparseFixture);
