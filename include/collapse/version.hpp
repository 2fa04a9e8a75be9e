#pragma once

/// Version of the library, following semantic versioning.
#define COLLAPSE_VERSION_MAJOR 0
#define COLLAPSE_VERSION_MINOR 1
#define COLLAPSE_VERSION_PATCH 0
#define COLLAPSE_VERSION_STRING "0.1.0"
